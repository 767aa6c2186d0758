import { assert, describe, it } from "@effect/vitest"
import { FaultProxy, Gate, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import { connect, GET } from "./support.js"

const head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 10\r\n\r\n"
const whole = `${head}0123456789`

const through = (plan: NonNullable<FaultProxy.Options["plan"]>) =>
  Effect.gen(function*() {
    const server = yield* TestServer.make({ replies: { "/": Reply.text("0123456789") } })
    const proxy = yield* FaultProxy.make({ to: server, plan })
    return { server, proxy, client: yield* connect({ port: proxy.port }) }
  })

const down = (...faults: ReadonlyArray<FaultProxy.Fault>): FaultProxy.Plan => ({ down: { faults } })

describe("FaultProxy", () => {
  it.scoped("carries what no fault is planned for, and ends with its client", () =>
    Effect.gen(function*() {
      const { client, proxy, server } = yield* through({})
      client.write(GET("/"))
      assert.strictEqual(yield* client.until("789"), whole)
      client.socket.end()
      yield* server.awaitStats((stats) => stats.openConnections === 0)
      const stats = yield* proxy.awaitStats((stats) => stats.openConnections === 0 && stats.openTunnels === 0)
      assert.strictEqual(stats.faults, 0)
    }))

  for (
    const [what, plan, received, end] of [
      ["a FIN in the middle", down({ afterBytes: head.length + 3, action: "end" }), `${head}012`, "end"],
      ["a reset in the middle", down({ afterBytes: 5, action: "reset" }), "HTTP/", "ECONNRESET"],
      ["a reset at once", down({ action: "reset" }), "", "ECONNRESET"],
      ["a FIN instead of all", { instead: "end" }, "", "end"],
      // Behind a delay: a client must have connected to see it as something else.
      ["a reset instead of all", { instead: "reset", delay: "20 millis" }, "", "ECONNRESET"]
    ] as ReadonlyArray<readonly [string, FaultProxy.Plan, string, string]>
  ) {
    it.scoped(`gives ${what}`, () =>
      Effect.gen(function*() {
        const { client, proxy } = yield* through(plan)
        client.write(GET("/"))
        assert.strictEqual(yield* client.closed, end)
        assert.strictEqual(client.received(), received)
        const stats = yield* proxy.awaitStats((stats) => stats.openConnections === 0)
        assert.strictEqual(stats.faults, 1)
      }))
  }

  for (
    const [what, plan, received] of [
      ["inserts", down({ afterBytes: head.length, action: { insert: "xyz" } }), `${head}xyz0123456789`],
      ["says late bytes", down({ afterBytes: whole.length, action: { insert: "late!" } }), `${whole}late!`],
      ["says something at once", down({ action: { insert: "early" } }), `early${whole}`],
      ["duplicates", down({ afterBytes: head.length, action: { duplicate: 4 } }), `${head}01230123456789`],
      ["drops", down({ afterBytes: head.length + 2, action: { drop: 3 } }), `${head}0156789`],
      ["delays", down({ afterBytes: 3, action: { delay: "20 millis" } }), whole],
      ["accepts slowly", { delay: "20 millis" }, whole],
      ["drips", { down: { pieceSize: 1 } }, whole],
      ["is slow", { down: { bytesPerSecond: 2000 }, up: { bytesPerSecond: 2000 } }, whole]
    ] as ReadonlyArray<readonly [string, FaultProxy.Plan, string]>
  ) {
    it.scoped(what, () =>
      Effect.gen(function*() {
        const { client } = yield* through(plan)
        client.write(GET("/"))
        assert.strictEqual(yield* client.until((all) => all.length >= received.length), received)
        assert.isFalse(client.socket.destroyed)
      }))
  }

  it.scoped("swallows one direction, and notices the client's end", () =>
    Effect.gen(function*() {
      const { client, proxy, server } = yield* through(down({ afterBytes: 4, action: "blackhole" }))
      client.write(GET("/"))
      yield* server.awaitStats((stats) => stats.responses === 1)
      yield* proxy.awaitStats((stats) => stats.faults === 1)
      assert.strictEqual(yield* client.until("HTTP"), "HTTP")
      client.socket.destroy()
      yield* proxy.awaitStats((stats) => stats.openConnections === 0)
    }))

  it.scoped("holds a stream at a gate, and what goes up", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const { client, server } = yield* through({ up: { faults: [{ afterBytes: 10, action: { hold: gate } }] } })
      client.write(GET("/"))
      yield* gate.awaitHeld(1)
      assert.strictEqual((yield* server.stats).requests, 0)
      yield* gate.open
      yield* client.until("789")
    }))

  it.scoped("has a plan for each connection, and for those to come", () =>
    Effect.gen(function*() {
      const { client, proxy } = yield* through([{ instead: "reset", delay: "20 millis" }, {}])
      assert.strictEqual(yield* client.closed, "ECONNRESET")
      const second = yield* connect({ port: proxy.port })
      second.write(GET("/"))
      yield* second.until("789")
      yield* proxy.plan(() => ({ instead: "end" }))
      assert.strictEqual(yield* (yield* connect({ port: proxy.port })).closed, "end")
    }))

  it("plans the same by the same seed", () => {
    const plans = Array.from({ length: 200 }, (_, seed) => JSON.stringify(FaultProxy.random(seed)))
    assert.deepStrictEqual(plans, Array.from({ length: 200 }, (_, seed) => JSON.stringify(FaultProxy.random(seed))))
    assert.isAbove(new Set(plans).size, 100)
  })
})
