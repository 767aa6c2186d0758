import { deepStrictEqual } from "node:assert"
import { describe, it } from "vitest"
import type { Attributes } from "../../src/metrics/definitions.js"
import { PoolMeter } from "../../src/metrics/PoolMeter.js"
import type { Registry } from "../../src/metrics/Registry.js"
import * as Origin from "../../src/Origin.js"

describe("PoolMeter", () => {
  it("keeps one metric for all methods that are nobody's, however many there are", () => {
    const made: Array<Attributes> = []
    const counts = new Map<string, number>()
    const registry: Registry = {
      metric: (_, attributes) => {
        made.push(attributes)
        const method = attributes["http.request.method"]
        return { update: () => void counts.set(method, (counts.get(method) ?? 0) + 1) }
      },
      level: () => () => {}
    }
    const meter = new PoolMeter(registry, {})
    const origin = Origin.fromUrl(new URL("http://methods.test/"))!
    for (let n = 0; n < 1000; n++) {
      meter.ended(origin, `X-${n}`, 200, "http/1.1", 1, undefined)
      meter.ended(origin, `Y-${n}`, undefined, undefined, 1, undefined)
      meter.ended(origin, "GET", 200, "http/1.1", 1, undefined)
    }
    deepStrictEqual(made.map((attributes) => attributes["http.request.method"]), ["_OTHER", "_OTHER", "GET"])
    deepStrictEqual([...counts], [["_OTHER", 2000], ["GET", 1000]])
  })
})
