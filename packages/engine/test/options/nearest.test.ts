import { deepStrictEqual, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import { distance, nearest } from "../../src/options/nearest.js"

describe("The distance of two names", () => {
  it.each([
    ["read", "read", 0],
    ["raed", "read", 1],
    ["red", "read", 1],
    ["reads", "read", 1],
    ["road", "read", 1],
    ["", "read", 4],
    ["read", "", 4],
    ["MAX_CONECTIONS", "MAX_CONNECTIONS", 1],
    ["maxConnectoin", "maxConnection", 1],
    ["abcdef", "badcfe", 3]
  ])("of %j and %j is %i", (from, to, expected) => {
    strictEqual(distance(from, to), expected)
    strictEqual(distance(to, from), expected)
  })
})

describe("The nearest name", () => {
  const candidates = ["read", "headers", "maxConnections", "pool"].map((path) => ({ path, spellings: [path] }))
  it.each([
    ["raed", "read"],
    ["Read", "read"],
    ["max_connections", "maxConnections"],
    ["header", "headers"],
    ["maxConnection", "maxConnections"],
    ["proxy", undefined],
    ["x", undefined],
    ["", undefined],
    ["m".repeat(100_000), undefined]
  ])("to %.40j is %j", (name, expected) => deepStrictEqual(nearest(name, candidates), expected))
})
