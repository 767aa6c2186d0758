import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import type * as Credentials from "@sluice/core/Credentials"
import * as Idempotency from "@sluice/core/Idempotency"
import { Files, HttpClientLayer, NodeCodecs } from "@sluice/node"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as zlib from "node:zlib"
import { makeClient } from "./support.js"

const text = "the water comes, ".repeat(1000)
const large = "x".repeat(1_000_000) + text

const decoders: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  gzip: zlib.gunzipSync,
  deflate: zlib.inflateSync,
  br: zlib.brotliDecompressSync,
  ...("zstdDecompressSync" in zlib ? { zstd: (zlib as any).zstdDecompressSync } : {})
}

const setup = (options: HttpClientLayer.Options, reply: Reply.Reply | ReadonlyArray<Reply.Reply> = Reply.empty()) =>
  Effect.gen(function*() {
    const server = yield* TestServer.make({ replies: { "*": reply }, maxRecordedBody: 4 * 1024 * 1024 })
    return { server, url: `${server.url}/`, ...(yield* makeClient(options)) }
  })

describe("The bodies of requests", () => {
  for (const { name } of NodeCodecs.encoders) {
    it.scopedLive(`are coded in ${name}, of any kind and size`, () =>
      Effect.gen(function*() {
        const { client, server, url } = yield* setup({ compress: name as never })
        const post = HttpClientRequest.post(url)
        const pieces = Stream.fromIterable([text, "", text]).pipe(
          Stream.map((piece) => new TextEncoder().encode(piece))
        )
        for (
          const request of [
            HttpClientRequest.bodyText(post, text),
            HttpClientRequest.bodyText(post, large),
            HttpClientRequest.bodyUnsafeJson(post, { text }),
            HttpClientRequest.setBody(post, HttpBody.raw(text)),
            HttpClientRequest.bodyStream(post, pieces, { contentType: "text/plain", contentLength: 2 * text.length }),
            HttpClientRequest.bodyFormDataRecord(post, { field: text })
          ]
        ) {
          assert.strictEqual((yield* client.execute(request)).status, 200)
        }
        const received = yield* server.requests
        const decoded = received.map((request) => {
          assert.strictEqual(request.header("content-encoding"), name)
          const length = request.header("content-length")
          if (length !== undefined) assert.strictEqual(length, String(request.body.length))
          return Buffer.from(decoders[name](request.body)).toString()
        })
        assert.deepStrictEqual(decoded.slice(0, 5), [text, large, JSON.stringify({ text }), text, text + text])
        assert.include(decoded[5], text)
        assert.strictEqual(received[2].header("content-type"), "application/json")
        assert.match(received[5].header("content-type") ?? "", /^multipart\/form-data; boundary=/)
      }))
  }

  it.scopedLive("are left alone when they are small, coded, compressed already, or do not get smaller", () =>
    Effect.gen(function*() {
      const { client, server, url } = yield* setup({ compress: { coding: "gzip", minSize: 100 } })
      const post = HttpClientRequest.post(url)
      const random = Uint8Array.from({ length: 5000 }, () => Math.floor(Math.random() * 256))
      for (
        const request of [
          post,
          HttpClientRequest.bodyText(post, "x".repeat(99)),
          HttpClientRequest.setHeader(HttpClientRequest.bodyText(post, text), "content-encoding", "identity"),
          HttpClientRequest.setHeader(HttpClientRequest.bodyText(post, text), "content-digest", "sha-256=:x:"),
          HttpClientRequest.bodyUint8Array(post, new Uint8Array(5000), "image/png"),
          HttpClientRequest.bodyUint8Array(post, random)
        ]
      ) yield* client.execute(request)
      const received = yield* server.requests
      assert.deepStrictEqual(
        received.map((request) => [request.header("content-encoding"), request.body.length]),
        [[undefined, 0], [undefined, 99], ["identity", text.length], [undefined, text.length], [undefined, 5000], [
          undefined,
          5000
        ]]
      )
    }))

  it.scopedLive("go out as they are after a 415, from then on to that origin", () =>
    Effect.gen(function*() {
      const { client, server, url } = yield* setup({ compress: "gzip" }, [Reply.empty({ status: 415 }), Reply.empty()])
      const post = HttpClientRequest.bodyText(HttpClientRequest.post(url), text)
      assert.strictEqual((yield* client.execute(post)).status, 200)
      assert.strictEqual((yield* client.execute(post)).status, 200)
      const received = yield* server.requests
      assert.deepStrictEqual(received.map((request) => request.header("content-encoding")), [
        "gzip",
        undefined,
        undefined
      ])
      assert.strictEqual(Buffer.from(received[1].body).toString(), text)
    }))

  it.scopedLive("are signed as they are sent, for each attempt and hop", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: {
          "/1": [
            Reply.empty({ status: 503, headers: { "retry-after": "0" } }),
            Reply.empty({ status: 307, headers: { location: "/2" } })
          ],
          "/2": Reply.empty()
        }
      })
      const signer: Credentials.Credential = {
        authorize: (request) =>
          Effect.sync(() =>
            HttpClientRequest.setHeader(
              request,
              "authorization",
              `${request.headers["content-encoding"]} ${request.body.contentLength}`
            )
          )
      }
      const { client } = yield* makeClient({
        compress: "gzip",
        credentials: { [server.url]: signer },
        redirects: true,
        retry: true
      })
      yield* client.execute(HttpClientRequest.bodyText(HttpClientRequest.put(`${server.url}/1`), text))
      const received = yield* server.requests
      assert.strictEqual(received.length, 3)
      for (const request of received) {
        assert.strictEqual(request.header("authorization"), `gzip ${request.body.length}`)
        assert.strictEqual(zlib.gunzipSync(request.body).toString(), text)
      }
    }))

  it.effect("a coding that there is not is InvalidOptions", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Layer.build(HttpClientLayer.layer({ compress: "lzma" as never })))
      assert.include(error.message, "compress")
      if (NodeCodecs.encoders.every(({ name }) => name !== "zstd")) {
        const zstd = yield* Effect.flip(Layer.build(HttpClientLayer.layer({ compress: { coding: "zstd" } })))
        assert.include(zstd.message, "this Node does not have")
      }
    }).pipe(Effect.scoped))

  it.scopedLive("keep the key of their request when they are coded anew for a retry, or sent uncoded after a 415", () =>
    Effect.gen(function*() {
      for (const status of [503, 415]) {
        const reply = [Reply.empty({ status, headers: { "retry-after": "0" } }), Reply.empty()]
        const form = new FormData()
        form.append("field", text)
        const bodies = {
          "bytes": HttpClientRequest.bodyText(text),
          "a form": HttpClientRequest.bodyFormData(form),
          "a Blob": HttpClientRequest.setBody(HttpBody.raw(new Blob([text])))
        }
        for (const [what, set] of Object.entries(bodies)) {
          const { client, server, url } = yield* setup({ compress: "gzip", retry: true }, reply)
          yield* Idempotency.withKey(client.execute(set(HttpClientRequest.post(url))))
          // And those of whoever retries around it.
          yield* Idempotency.withKey(
            Effect.repeatN(Stream.runDrain(Files.upload(client, set(HttpClientRequest.post(url)))), 1)
          )
          const keys = (yield* server.requests).map((request) => request.header("idempotency-key"))
          assert.isDefined(keys[0])
          assert.deepStrictEqual(keys.map((key) => key === keys[0]), [true, true, false, false], `${what}, ${status}`)
          assert.strictEqual(keys[2], keys[3])
        }
      }
    }))
})
