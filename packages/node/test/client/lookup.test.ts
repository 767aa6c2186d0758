import { assert, describe, it } from "@effect/vitest"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import type { LookupFunction } from "node:net"
import { failure, makeClient } from "./support.js"

const wrong: Record<string, LookupFunction> = {
  "gives no address": (_host, _options, callback) => callback(null, []),
  "gives no address later": (_host, _options, callback) => setImmediate(() => callback(null, [])),
  "gives a name": (_host, _options, callback) => callback(null, [{ address: "b.test", family: 4 }]),
  "gives nothing": (_host, _options, callback) => callback(null, undefined as never),
  "throws": () => {
    throw new Error("lookup threw")
  },
  "throws no error": () => {
    throw "text"
  },
  "rejects": (() => Promise.reject(new Error("lookup rejected"))) as unknown as LookupFunction,
  "fails": (_host, _options, callback) => callback(new Error("lookup failed"), "", 0)
}

describe("A lookup of one's own", () => {
  for (const scheme of ["http", "https"]) {
    for (const [name, lookup] of Object.entries(wrong)) {
      it.scoped(`that ${name} is a ConnectError (${scheme})`, () =>
        Effect.gen(function*() {
          const { client } = yield* makeClient({ lookup })
          const error = yield* failure(client.get(`${scheme}://a.test:1/`))
          assert.strictEqual(error._tag, "ConnectError")
        }))
    }
  }

  it.scoped("that calls back twice counts once", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok") } })
      const lookup: LookupFunction = (_host, _options, callback) => {
        callback(null, [{ address: "127.0.0.1", family: 4 }])
        callback(new Error("again"), "", 0)
      }
      const { client } = yield* makeClient({ lookup })
      const { port } = new URL(server.url)
      const response = yield* client.get(`http://a.test:${port}/`)
      assert.strictEqual(yield* response.text, "ok")
    }))
})
