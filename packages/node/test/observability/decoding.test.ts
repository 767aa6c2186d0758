import { assert, describe, it } from "@effect/vitest"
import type { HttpClientLayer } from "@sluice/node"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { gzipSync } from "node:zlib"
import { makeClient, until } from "../client/support.js"

const gzipped = gzipSync(JSON.stringify({ password: "s3cret" }))
const type = (name: string) => ({ headers: { "content-type": name } })

/** Bodies that are no JSON, and what is said of each. */
const bodies: Record<string, readonly [Reply.Reply, ReadonlyArray<string>, HttpClientLayer.Options?]> = {
  "HTML": [
    Reply.text("<html><body>Sign in</body></html>", type("text/html; charset=utf-8")),
    ["status 200 and content-type text/html; charset=utf-8", "begins with \"<html><body>Sign in"]
  ],
  "HTML that was gzipped": [
    Reply.bytes(gzipSync("<html>Sign in</html>"), {
      headers: { "content-type": "text/html", "content-encoding": "gzip" }
    }),
    ["content-type text/html", "begins with \"<html>Sign in"]
  ],
  "what a proxy says": [
    Reply.text("upstream connect error or disconnect/reset before headers", { status: 503, ...type("text/plain") }),
    ["status 503 and content-type text/plain", "\"upstream connect error or disconnect/reset before headers\""]
  ],
  "gzip that nobody undid": [
    Reply.bytes(gzipped, { headers: { "content-type": "application/json", "content-encoding": "gzip" } }),
    ["content-encoding gzip was not decoded", "looks like gzip"],
    { decompress: false }
  ],
  "gzip that nobody announced": [
    Reply.bytes(gzipped, type("application/json")),
    ["content-type application/json", "looks like gzip that was not decoded"]
  ],
  "JSON that is cut": [Reply.text(`{"password":"s3cret"`, type("application/json")), [
    "at position",
    "application/json"
  ]],
  "JSON with a comma": [Reply.text(`{"password":"s3cret",}`, type("application/json")), ["at position"]],
  "a form": [Reply.text("password=s3cret", type("application/x-www-form-urlencoded")), ["x-www-form-urlencoded"]],
  "nothing of a type": [Reply.bytes(Buffer.from("Not found.")), ["no content-type", "\"Not found.\""]]
}

describe("a body that is no JSON", () => {
  for (const [name, [reply, says, options]] of Object.entries(bodies)) {
    it.scoped(`is recognised: ${name}`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ replies: { "/": reply } })
        const { client } = yield* makeClient(options)
        const error = yield* Effect.flip((yield* client.get(`${server.url}/`)).json)
        assert.strictEqual(error._tag === "ResponseError" && error.reason, "Decode")
        assert.include(error.message, "the body is no valid JSON")
        for (const words of says) {
          assert.include(error.message, words)
          assert.include(JSON.stringify(error), JSON.stringify(words).slice(1, -1))
        }
        // What may be data is not shown, in no form.
        assert.notInclude(`${error.message}${JSON.stringify(error)}${String((error as Error).cause)}`, "s3cret")
      }))
  }
})

describe("requests in flight", () => {
  it.scoped("are listed: what each waits for, for how long, and how much has come", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      yield* Effect.addFinalizer(() => gate.open)
      const server = yield* TestServer.make({
        replies: { "/stuck": Reply.chunks(["12345", gate, "rest"]), "/head": Reply.text("ok", { hold: gate }) }
      })
      const { client, pool } = yield* makeClient({ limits: { maxConnections: 2 } })
      assert.deepStrictEqual(yield* pool.inFlight, [])
      yield* client.get(`${server.url}/stuck?token=s3cret`)
      yield* Effect.forkScoped(client.post(`${server.url}/head`))
      yield* until(() => pool.unsafeStats().active === 2)
      yield* Effect.forkScoped(client.get(`${server.url}/queue`))
      yield* until(() => pool.unsafeStats().waiting === 1)
      yield* gate.awaitHeld(2)
      yield* TestClock.adjust("500 millis")
      const all = yield* pool.inFlight
      assert.deepStrictEqual(
        all.map(({ bodyUnread, method, phase, received, url }) => [method, url, phase, received, bodyUnread]),
        [
          ["GET", `${server.url}/stuck`, "body", 5, true],
          ["POST", `${server.url}/head`, "headers", 0, false],
          ["GET", `${server.url}/queue`, "pool", 0, false]
        ]
      )
      assert.deepStrictEqual(all.map(({ connection }) => connection), [1, 2, undefined])
      for (const { age, fiber } of all) {
        assert.strictEqual(age, 500)
        assert.match(fiber, /^#\d+$/)
      }
    }))
})
