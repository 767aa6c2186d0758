import { assert, describe, it } from "@effect/vitest"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { vi } from "vitest"
import { failure, makeClient } from "../client/support.js"

const asked: Array<string> = []

type OnResolved = (error: Error | null, records: ReadonlyArray<{ address: string; ttl: number }>) => void

// A name server of one's own would have to be the process's.
vi.mock("node:dns", async (original) => {
  const say = (record: string) => (name: string, _options: object, callback: OnResolved) => {
    asked.push(`${name} ${record}`)
    setImmediate(() => {
      if (record === "AAAA" || name !== "a.test") callback(Object.assign(new Error("none"), { code: "ENODATA" }), [])
      else callback(null, [{ address: "127.0.0.1", ttl: 60 }])
    })
  }
  const dns = await original<{ readonly default: object }>()
  return { ...dns, default: { ...dns.default, resolve4: say("A"), resolve6: say("AAAA") } }
})

describe("resolve by name servers", () => {
  it.scoped("asks once for all, and again when what they said holds no longer", () =>
    Effect.gen(function*() {
      asked.length = 0
      const server = yield* TestServer.make({ replies: { "/": Reply.text("one") } })
      const { client, pool } = yield* makeClient({ resolve: "dns" })
      const get = Effect.flatMap(client.get(`http://a.test:${server.port}/`), (response) => response.text)
      yield* Effect.all([get, get], { concurrency: 2 })
      yield* pool.evictIdle
      assert.strictEqual(yield* get, "one")
      assert.deepStrictEqual(asked, ["a.test A", "a.test AAAA"])
      yield* pool.evictIdle
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* get, "one")
      assert.strictEqual(asked.length, 4)
    }))

  it.scoped("fails where there is no such name, and keeps that for a second", () =>
    Effect.gen(function*() {
      asked.length = 0
      const { client } = yield* makeClient({ resolve: "dns" })
      for (let n = 0; n < 2; n++) {
        assert.deepInclude({ ...(yield* failure(client.get("http://none.test/"))) }, {
          _tag: "ConnectError",
          reason: "UnknownHost"
        })
      }
      assert.strictEqual(asked.length, 2)
      yield* TestClock.adjust("1 second")
      yield* failure(client.get("http://none.test/"))
      assert.strictEqual(asked.length, 4)
    }))
})
