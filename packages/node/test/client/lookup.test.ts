import { assert, describe, it } from "@effect/vitest"
import type { HttpClientLayer } from "@sluice/node"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import type { LookupFunction } from "node:net"
import { failure, makeClient, turns, until } from "./support.js"

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

// An async function fits where nothing is to be returned, and JavaScript lets anything be returned anywhere. vitest fails a
// run in which a rejection or an exception would have ended the process.
describe("A function of one's own that returns what it should not", () => {
  const rejecting = (() => Promise.reject(new Error("rejected"))) as () => never
  const returning = (value: unknown) => () => value as never

  const inClear: Record<string, readonly [options: HttpClientLayer.Options, tag: string, says: string]> = {
    proxy: [{ proxy: rejecting }, "ProxyError", "not a promise"],
    "headers of a proxy": [{ proxy: { url: "http://127.0.0.1:1", headers: rejecting } }, "ProxyError", ""],
    origins: [{ origins: rejecting }, "LocalProtocolError", "origins"],
    "addressPolicy.check": [{ addressPolicy: { check: rejecting }, proxy: "none" }, "AddressNotAllowed", "promise"],
    "addressPolicy.check, right": [
      { addressPolicy: { check: returning(Promise.resolve(true)) }, proxy: "none" },
      "AddressNotAllowed",
      "promise"
    ]
  }
  for (const [name, [options, tag, says]] of Object.entries(inClear)) {
    it.scoped(`${name}: a promise is a typed error`, () =>
      Effect.gen(function*() {
        const { client } = yield* makeClient(options)
        const error = yield* failure(client.get("http://127.0.0.1:1/"))
        yield* turns(2)
        assert.strictEqual(error._tag, tag)
        assert.include(error.message, says)
      }))
  }

  const judgements: Record<string, unknown> = {
    "a promise that rejects": undefined,
    "a promise": Promise.resolve(undefined),
    text: "no",
    true: true,
    false: false,
    0: 0
  }
  for (const http2 of [false, true]) {
    for (const [name, judgement] of Object.entries(judgements)) {
      it.scoped(`checkServerIdentity: ${name} is a TlsError${http2 ? ", HTTP/2" : ""}`, () =>
        Effect.gen(function*() {
          const server = yield* TestServer.make({ tls: {}, http2, replies: { "/": Reply.text("ok") } })
          const checkServerIdentity = judgement === undefined ? rejecting : returning(judgement)
          const { client } = yield* makeClient({ tls: { ca: server.ca!, checkServerIdentity } })
          const error = yield* failure(client.get(server.url))
          yield* turns(2)
          assert.strictEqual(error._tag, "TlsError")
          assert.include(error.message, "checkServerIdentity returned")
        }))
    }
  }

  it.scoped("onInformational: its rejection is logged, and the response goes on", () =>
    Effect.gen(function*() {
      const logged: Array<string> = []
      const logger = Logger.make(({ message }) => logged.push(String(message)))
      const informational = [{ status: 103 }]
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok", { informational }) } })
      const options = { onInformational: rejecting }
      const { client } = yield* Effect.provide(makeClient(options), Logger.replace(Logger.defaultLogger, logger))
      assert.strictEqual(yield* Effect.flatMap(client.get(server.url), (response) => response.text), "ok")
      yield* until(() => logged.length > 0)
      assert.include(logged[0], "onInformational threw")
    }))
})
