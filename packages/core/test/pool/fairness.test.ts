import { describe, it } from "@effect/vitest"
import { ok } from "node:assert"
import { limits } from "./support/limits.js"
import { traffic } from "./support/Traffic.js"

describe("turns between origins", () => {
  // okhttp via palantir #867
  it("lets no slow host starve the others", () => {
    const served = traffic(limits({ maxConnections: 10 }), [
      { key: "slow", clients: 200, takes: 1000 },
      { key: "fast 1", clients: 10, takes: 10 },
      { key: "fast 2", clients: 10, takes: 10 }
    ], 60_000)
    for (const key of ["fast 1", "fast 2"]) {
      // It comes late, gets a connection at the first release, and keeps its share.
      ok(served.get(key)!.longestWait <= 2_000, `${key} waited ${served.get(key)!.longestWait} ms`)
      ok(served.get(key)!.responses >= 10_000, `${key} got ${served.get(key)!.responses} responses`)
    }
    ok(served.get("slow")!.responses >= 60, "nor the others the slow host")
  })

  // Issue 15, section 3: what counts is connection time, not turns. A host of long responses had 95 % of it.
  it.each([[1, 1], [1, 3], [2, 2]])("gives hosts of long and of short responses as much: %i over %i", (slow, fast) => {
    const hosts = [
      ...Array.from({ length: slow }, (_, i) => ({ key: `slow ${i}`, clients: 5, takes: 500 })),
      ...Array.from({ length: fast }, (_, i) => ({ key: `fast ${i}`, clients: 5, takes: 2 }))
    ]
    const duration = 60_000
    const served = traffic(limits({ maxConnections: 1 }), hosts, duration)
    for (const [key, { held, longestWait }] of served) {
      ok(held >= 0.6 * duration / hosts.length, `${key} had ${held} of ${duration} ms`)
      // Behind its own, and each time behind the others.
      const before = key.startsWith("slow") ? 5 * hosts.length : slow
      ok(longestWait <= before * (500 + 150), `${key} waited ${longestWait} ms`)
    }
  })

  it("lets hosts of equal shares keep their connections", () => {
    for (const maxConnections of [2, 3, 5]) {
      const hosts = ["a", "b"].map((key) => ({ key, clients: 20, takes: 10 }))
      const served = traffic(limits({ maxConnections }), hosts, 10_000)
      for (const [key, { responses, dials, longestWait }] of served) {
        ok(responses >= 900, `${key} got ${responses} responses over ${maxConnections}`)
        ok(dials <= maxConnections, `${key} dialed ${dials} times over ${maxConnections}`)
        ok(longestWait <= 500)
      }
    }
  })

  it("gives each its turn when there are more hosts than connections", () => {
    const hosts = Array.from({ length: 20 }, (_, i) => ({ key: `host ${i}`, clients: 3, takes: 10 }))
    const served = traffic(limits({ maxConnections: 3 }), hosts, 30_000)
    const responses = [...served.values()].map((_) => _.responses)
    ok(
      Math.min(...responses) >= 0.8 * Math.max(...responses),
      `from ${Math.min(...responses)} to ${Math.max(...responses)}`
    )
    // 60 requests before one's own, each with a dial and a close.
    for (const { longestWait } of served.values()) ok(longestWait <= 1_000, `one waited ${longestWait} ms`)
  })

  // httpx #289: with one connection, and it is HTTP/2, and it is never idle.
  it("takes the only connection from a host that shares it without pause", () => {
    const served = traffic(limits({ maxConnections: 1 }), [
      { key: "h2", clients: 50, takes: 7, streams: 10 },
      { key: "other", clients: 1, takes: 10 }
    ], 10_000)
    for (const [key, { responses, longestWait }] of served) {
      // Each turn of the other one comes after a quantum, which is 50 ms here.
      ok(responses >= 100, `${key} got ${responses} responses`)
      ok(longestWait <= 200, `${key} waited ${longestWait} ms`)
    }
  })

  // Issue 15, section 3: a connection stays with its origin for a quantum, of 50 ms here, while others wait.
  it.each([[2, 1], [20, 10], [5, 2]])(
    "%i hosts over %i connections pay for a connection once in a quantum",
    (count, maxConnections) => {
      const duration = 5_000
      for (const streams of [undefined, 5]) {
        const hosts = Array.from({ length: count }, (_, i) => ({
          key: `host ${i}`,
          clients: 20,
          takes: 2,
          ...(streams === undefined ? {} : { streams })
        }))
        const served = [...traffic(limits({ maxConnections }), hosts, duration).values()]
        const dials = served.reduce((n, host) => n + host.dials, 0)
        ok(dials <= maxConnections * (Math.ceil(duration / 50) + 1), `${dials} connections`)
        for (const { longestWait } of served) {
          ok(longestWait <= Math.ceil(count / maxConnections) * (50 + 20) + 100, `one waited ${longestWait} ms`)
        }
      }
    }
  )

  it.each([["dead", { dead: true }], ["closing", { closes: true }]])(
    "a %s host costs its neighbour next to nothing",
    (_, kind) => {
      const served = traffic(limits({ maxConnections: 1 }), [
        { key: "living", clients: 20, takes: 2 },
        { key: "other", clients: 5, takes: 2, ...kind }
      ], 10_000)
      const living = served.get("living")!
      ok("dead" in kind ? living.dials <= 20 : living.dials <= 10_000 / 50 + 1, `${living.dials} connections to it`)
      ok(living.responses >= ("dead" in kind ? 4_500 : 3_500), `${living.responses} responses`)
      ok(living.longestWait <= 200, `it waited ${living.longestWait} ms`)
    }
  )

  it("a host that is alone in a free pool is never held up by its failures", () => {
    const { dials } = traffic(
      limits({ maxConnections: 10 }),
      [{ key: "dead", clients: 1, takes: 1, dead: true }],
      1_000
    )
      .get("dead")!
    ok(dials >= 250, `it was tried ${dials} times`)
  })
})
