import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Redirects from "@sluice/core/Redirects"
import * as Trailers from "@sluice/core/Trailers"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as http2 from "node:http2"
import type { AddressInfo } from "node:net"
import { failure, idle, makeClient } from "./support.js"

const bytes = (text: string) => new TextEncoder().encode(text)

for (const protocol of ["HTTP/1.1", "HTTP/2"] as const) {
  const start = (replies: TestServer.Options["replies"]) =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies, http2: protocol === "HTTP/2" })
      const made = yield* makeClient({ http2: protocol === "HTTP/2" ? "prior-knowledge" : false })
      return { server, url: `${server.url}/`, ...made }
    })

  describe(`Trailers over ${protocol}`, () => {
    it.scoped("come after the body, when all of it has been sent, and leave the connection as it was", () =>
      Effect.gen(function*() {
        const { client, pool, server, url } = yield* start({ "/": Reply.text("thanks") })
        let size = 0
        const parts = Stream.make("ab", "c".repeat(100_000)).pipe(
          Stream.map(bytes),
          Stream.tap((part) => Effect.sync(() => size += part.length))
        )
        const request = HttpClientRequest.post(url).pipe(
          HttpClientRequest.bodyStream(parts, { contentLength: 100_002 }),
          Trailers.set(Effect.sync(() => ({ "x-size": String(size), "x-other": "y" }))),
          // What is done to the request afterwards keeps them.
          HttpClientRequest.setHeader("x-after", "1")
        )
        for (const times of [1, 2]) {
          assert.strictEqual(yield* (yield* client.execute(request)).text, "thanks")
          const received = (yield* server.requests)[times - 1]
          assert.deepStrictEqual(received.trailers, [["x-size", String(times * 100_002)], ["x-other", "y"]])
          assert.strictEqual(received.bodyLength, 100_002)
          assert.strictEqual(received.header("content-length"), undefined)
          assert.strictEqual(received.header("x-after"), "1")
        }
        yield* idle(pool, server, 1)
        assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [2])
      }))

    it.scoped("come after bodies of every kind, and after none", () =>
      Effect.gen(function*() {
        const { client, server, url } = yield* start({ "/": Reply.empty() })
        const form = new FormData()
        form.append("a", "b")
        const bodies: ReadonlyArray<readonly [HttpBody.HttpBody, string | undefined]> = [
          [HttpBody.empty, undefined],
          [HttpBody.text("text"), "text/plain"],
          [HttpBody.unsafeJson({ a: 1 }), "application/json"],
          [HttpBody.raw(new Blob(["blob"], { type: "x/y" })), "x/y"],
          [HttpBody.formData(form), "multipart/form-data"]
        ]
        for (const [body, type] of bodies) {
          const request = HttpClientRequest.post(url).pipe(
            HttpClientRequest.setBody(body),
            Trailers.set(Effect.succeed({ "x-end": "1" }))
          )
          yield* (yield* client.execute(request)).text
          const received = (yield* server.requests).at(-1)!
          assert.deepStrictEqual(received.trailers, [["x-end", "1"]])
          assert.strictEqual(received.header("content-type")?.split(";")[0], type)
          if (body._tag === "Uint8Array") assert.deepStrictEqual(received.text, new TextDecoder().decode(body.body))
        }
      }))

    it.scoped("stay with the body: a redirect that drops it drops them", () =>
      Effect.gen(function*() {
        const { client, server, url } = yield* start({
          "/": Reply.empty({ status: 303, headers: { location: "/got" } }),
          "/got": Reply.text("got")
        })
        const request = HttpClientRequest.post(url).pipe(
          HttpClientRequest.bodyText("text"),
          Trailers.set(Effect.succeed({ "x-end": "1" }))
        )
        assert.strictEqual(yield* (yield* Redirects.follow(client).execute(request)).text, "got")
        const requests = (yield* server.requests).map(({ method, text, trailers }) => [method, text, trailers])
        assert.deepStrictEqual(requests, [
          ["POST", "text", [["x-end", "1"]]],
          ["GET", "", []]
        ])
      }))

    it.scoped("that cannot be sent fail the request, which is not taken for complete", () =>
      Effect.gen(function*() {
        const { pool, server, typed, url } = yield* start({ "/": Reply.text("never") })
        /** When the head of the request has arrived. */
        const late = <A, E>(count: number, trailers: Effect.Effect<A, E>) =>
          Effect.zipRight(server.awaitStats(({ requests }) => requests === count), trailers)
        const wrong: ReadonlyArray<readonly [Record<string, string>, RegExp]> = [
          [{ "content-length": "4" }, /"content-length" cannot be a trailer \(RFC 9110 §6\.5\.1\)/],
          [{ Authorization: "secret" }, /"Authorization" cannot be a trailer/],
          [{ "x y": "1" }, /the header name "x …"|the trailer "x …"/],
          [{ "x-end": "1\r\nevil: 1" }, /x-end/]
        ]
        for (const [n, [trailers, message]] of wrong.entries()) {
          const request = HttpClientRequest.post(url).pipe(
            HttpClientRequest.bodyText("text"),
            Trailers.set(late(n + 1, Effect.succeed(trailers)))
          )
          const error = yield* failure(typed.execute(request))
          assert.strictEqual(error._tag, "RequestBodyError")
          assert.match(error.message, message)
          assert.deepInclude(error.cause, { _tag: "LocalProtocolError" })
          assert.isFalse(error.safeToRetry)
        }
        const broken = HttpClientRequest.post(url).pipe(
          HttpClientRequest.bodyText("text"),
          Trailers.set(late(5, Effect.fail("no checksum")))
        )
        const error = yield* failure(typed.execute(broken))
        assert.deepInclude(error, { _tag: "RequestBodyError", cause: "no checksum" })
        yield* idle(pool, server, protocol === "HTTP/2" ? 1 : 0)
        const received = yield* server.requests
        assert.isTrue(received.every(({ complete }) => !complete))
        assert.lengthOf(received, 5)
      }))

    it.scoped("of a response are there when it has been read, and not before", () =>
      Effect.gen(function*() {
        const gate = Gate.unsafeMake()
        const { client, url } = yield* start({ "/": Reply.chunks(["ab", gate, "cd"], { trailers: { "X-Sum": "4" } }) })
        const response = yield* client.get(url)
        assert.deepStrictEqual({ ...Trailers.get(response) }, {})
        yield* gate.open
        yield* Stream.runDrain(response.stream)
        assert.strictEqual(Trailers.get(response)["x-sum"], "4")
      }))
  })
}

describe("A call in the manner of gRPC", () => {
  /** Messages with their length before them, as gRPC frames them. */
  const framed = (text: string): Uint8Array => {
    const frame = Buffer.alloc(5 + text.length)
    frame.writeUInt32BE(text.length, 1)
    frame.write(text, 5, "latin1")
    return frame
  }

  /** A server of Node's own that responds to each message at once, and reports the outcome in trailers. */
  const server = Effect.acquireRelease(
    Effect.async<{ readonly url: string; readonly seen: Array<unknown>; readonly server: http2.Http2Server }>(
      (resume) => {
        const seen: Array<unknown> = []
        const server = http2.createServer()
        server.on("stream", (stream, headers) => {
          seen.push(headers["te"], headers["content-type"])
          stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true })
          stream.on("data", (bytes: Buffer) => {
            seen.push(bytes.toString("latin1", 5))
            stream.write(framed(`re: ${bytes.toString("latin1", 5)}`))
          })
          stream.on("trailers", (trailers) => seen.push(JSON.stringify(trailers)))
          stream.on("end", () => stream.end())
          stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "grpc-message": "fine" }))
        })
        server.listen(0, "127.0.0.1", () =>
          resume(Effect.succeed({
            server,
            seen,
            url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`
          })))
      }
    ),
    ({ server }) => Effect.sync(() => server.close())
  )

  it.scoped("gets its response while it is being sent, and both sides end with trailers", () =>
    Effect.gen(function*() {
      const { seen, url } = yield* server
      const { client, pool } = yield* makeClient({ http2: "prior-knowledge" })
      const outgoing = yield* Queue.unbounded<Uint8Array>()
      yield* Queue.offer(outgoing, framed("one"))
      const response = yield* client.execute(
        HttpClientRequest.post(`${url}/service/Method`).pipe(
          HttpClientRequest.setHeader("te", "trailers"),
          HttpClientRequest.bodyStream(Stream.fromQueue(outgoing), { contentType: "application/grpc" }),
          Trailers.set(Effect.sync(() => ({ "x-sent": String(seen.filter((_) => _ === "one" || _ === "two").length) })))
        )
      )
      const received: Array<string> = []
      yield* Stream.runForEach(response.stream, (bytes) => {
        received.push(Buffer.from(bytes).toString("latin1", 5))
        // Each message is the response to what was received before it.
        return received.length === 1 ? Queue.offer(outgoing, framed("two")) : Queue.shutdown(outgoing)
      })
      assert.deepStrictEqual(received, ["re: one", "re: two"])
      assert.deepStrictEqual(seen, ["trailers", "application/grpc", "one", "two", JSON.stringify({ "x-sent": "2" })])
      assert.deepStrictEqual({ ...Trailers.get(response) }, { "grpc-status": "0", "grpc-message": "fine" })
      assert.deepInclude(pool.unsafeStats(), { open: 1, idle: 1, leases: 0 })
    }))
})
