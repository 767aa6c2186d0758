import { assert, describe, it } from "@effect/vitest"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import { connect, temporaryFolder } from "./support.js"

const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

describe("TestServer", () => {
  it.layer(TestServer.layer({ replies: { "/": Reply.text("by layer") } }))("as a layer", (it) => {
    it.effect("is one server for all that it is given to", () =>
      Effect.gen(function*() {
        const server = yield* TestServer.TestServer
        assert.strictEqual(server.url, `http://127.0.0.1:${server.port}`)
        assert.strictEqual(server.origin, new URL(server.url).origin)
        const text = yield* Effect.promise(() => fetch(server.url).then((response) => response.text()))
        assert.strictEqual(text, "by layer")
      }))

    it.effect("and keeps its counts", () =>
      Effect.gen(function*() {
        const server = yield* TestServer.TestServer
        assert.strictEqual((yield* server.stats).requests, 1)
        assert.strictEqual(server.unsafeStats().requests, 1)
      }))
  })

  it.scoped("listens on IPv6", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ host: "::1", replies: { "/": Reply.text("six") } })
      assert.strictEqual(server.url, `http://[::1]:${server.port}`)
      const client = yield* connect({ host: "::1", port: server.port })
      client.write(request)
      yield* client.until("six")
    }))

  it.scoped("listens on a Unix socket, and again after a stop", () =>
    Effect.gen(function*() {
      const unixPath = `${yield* temporaryFolder}/socket`
      const server = yield* TestServer.make({ unixPath, replies: { "/": Reply.text("local") } })
      assert.strictEqual(server.url, "http://localhost")
      yield* server.stopAccepting
      yield* server.resumeAccepting
      const client = yield* connect({ path: unixPath })
      client.write(request)
      yield* client.until("local")
    }))

  it.scoped("dies with an error that names the address when it is taken", () =>
    Effect.gen(function*() {
      const { port } = yield* TestServer.make()
      const exit = yield* Effect.exit(Effect.scoped(TestServer.make({ port })))
      assert.isTrue(exit._tag === "Failure" && exit.cause._tag === "Die")
      if (exit._tag !== "Failure" || exit.cause._tag !== "Die") return
      assert.instanceOf(exit.cause.defect, TestServer.ListenError)
      assert.strictEqual(String((exit.cause.defect as Error).message), `127.0.0.1:${port} is in use by another program`)
    }))
})
