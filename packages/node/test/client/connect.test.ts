import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import { failure, idle, makeClient, settled, turns } from "./support.js"

describe("connecting", () => {
  it.scoped("two failures, and then it works: with a Schedule, as anything is retried", () =>
    Effect.gen(function*() {
      const port = yield* TestServer.unusedPort
      const server = yield* TestServer.make({ port, replies: { "/": Reply.text("there") } })
      yield* server.stopAccepting
      const { client, pool } = yield* makeClient()
      let failures = 0
      const patient = client.pipe(
        HttpClient.tapError(() => Effect.sync(() => failures++)),
        HttpClient.retryTransient({ schedule: Schedule.spaced("1 seconds"), times: 3 })
      )
      const fiber = yield* Effect.fork(Effect.flatMap(patient.get(`${server.url}/`), (response) => response.text))
      for (const expected of [1, 2]) {
        while (failures < expected) yield* turns(1)
        yield* turns(3)
        if (expected === 2) yield* server.resumeAccepting
        yield* TestClock.adjust("1 seconds")
      }
      assert.strictEqual(yield* Fiber.join(fiber), "there")
      assert.strictEqual(failures, 2)
      yield* idle(pool, server, 1)
    }))

  it.scoped("a failed dial fails its waiters, and leaves the pool empty", () =>
    Effect.gen(function*() {
      const server = { url: `http://127.0.0.1:${yield* TestServer.unusedPort}` }
      const { client, pool } = yield* makeClient({ limits: { maxConnections: 2 } })
      const errors = yield* Effect.all(Effect.replicate(failure(client.get(`${server.url}/`)), 10), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(new Set(errors.map((error) => error._tag)), new Set(["ConnectError"]))
      assert.strictEqual((yield* settled(pool)).open, 0)
    }))

  it.scoped("one connection serves five requests in turn; two origins share one permit in turns", () =>
    Effect.gen(function*() {
      const [a, b] = yield* Effect.all([
        TestServer.make({ replies: { "/": Reply.text("a") } }),
        TestServer.make({ replies: { "/": Reply.text("b") } })
      ])
      const { client, pool } = yield* makeClient({ limits: { maxConnections: 1 } })
      const get = (server: TestServer.TestServer) =>
        Effect.flatMap(client.get(`${server.url}/`), (response) => response.text)
      const five = yield* Effect.all(Effect.replicate(get(a), 5), { concurrency: "unbounded" })
      assert.deepStrictEqual(five, ["a", "a", "a", "a", "a"])
      assert.deepStrictEqual((yield* a.stats).requestsPerConnection, [5])
      for (let i = 0; i < 3; i++) assert.deepStrictEqual(yield* Effect.all([get(a), get(b)]), ["a", "b"])
      yield* idle(pool, b, 1)
      yield* a.awaitStats((stats) => stats.openConnections === 0)
    }))

  it.scoped("localhost by name", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": (request) => Reply.text(request.header("host")!) } })
      const { client } = yield* makeClient()
      const response = yield* client.get(`http://localhost:${server.port}/`)
      assert.strictEqual(yield* response.text, `localhost:${server.port}`)
    }))

  it.scoped("the typed client fails with what can be caught by its tag", () =>
    Effect.gen(function*() {
      const server = { url: `http://127.0.0.1:${yield* TestServer.unusedPort}` }
      const { typed } = yield* makeClient()
      const caught = yield* Effect.catchTag(typed.get(`${server.url}/`), "ConnectError", (error) =>
        Effect.succeed(error.reason))
      assert.strictEqual(caught, "Refused")
    }))
})
