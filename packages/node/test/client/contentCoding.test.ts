import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as ContentCoding from "@sluice/core/ContentCoding"
import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import * as Sse from "@sluice/core/Sse"
import { NodeCodecs } from "@sluice/node"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { randomBytes } from "node:crypto"
import * as zlib from "node:zlib"
import { idle, makeClient } from "./support.js"

const text = "grüße, ".repeat(2000)
const large = randomBytes(100_000).toString("hex")

const coders: Record<string, (bytes: Uint8Array | string) => Uint8Array> = {
  gzip: zlib.gzipSync,
  "x-gzip": zlib.gzipSync,
  deflate: zlib.deflateSync,
  "deflate, raw": zlib.deflateRawSync,
  br: zlib.brotliCompressSync,
  ...("zstdCompressSync" in zlib ? { zstd: (zlib as any).zstdCompressSync } : {})
}

const streamOf = (pieces: ReadonlyArray<Uint8Array>) => {
  const left = [...pieces]
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const piece = left.shift()
      if (piece === undefined) controller.close()
      else controller.enqueue(piece)
    }
  })
}

/** A response with this body and coding, in pieces of so many bytes, decoded. */
const respond = (
  body: Uint8Array,
  coding: string,
  { method = "GET", options = {}, size = 1000, status = 200 }: {
    readonly method?: "GET" | "HEAD"
    readonly options?: ContentCoding.Options
    readonly size?: number
    readonly status?: number
  } = {}
) => {
  const pieces: Array<Uint8Array> = []
  for (let i = 0; i < body.length; i += size) pieces.push(body.subarray(i, i + size))
  const client = HttpClient.make((request) =>
    Effect.succeed(HttpClientResponse.fromWeb(
      request,
      new Response(
        status === 204 || status === 304 ? null : streamOf(pieces),
        { status, headers: { "content-encoding": coding, "content-length": String(body.length), etag: "x" } }
      )
    ))
  )
  return ContentCoding.decode(client, NodeCodecs.codecs, options).execute(
    HttpClientRequest.make(method)("http://a.test/")
  )
}

/** As a whole, and as a stream. */
const readings = {
  "as a whole": (response: HttpClientResponse.HttpClientResponse) => response.text,
  "as a stream": (response: HttpClientResponse.HttpClientResponse) =>
    Effect.map(Stream.runCollect(response.stream), (chunks) => Buffer.concat(Chunk.toReadonlyArray(chunks)).toString())
}

const reasonOf = (error: unknown) =>
  error !== null && typeof error === "object" && "cause" in error &&
    error.cause instanceof ContentCoding.ContentCodingError
    ? error.cause.reason
    : String(error)

describe("Pieces of a coded body that come at once", () => {
  /** As one chunk of a stream, as a connection gives what has come since its reader was last there. */
  const decoded = (codec: ContentCoding.Codec, bytes: Uint8Array, cuts: ReadonlyArray<number>) => {
    const ends = [...cuts, bytes.length]
    const pieces = ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))
    return Effect.map(
      Stream.runCollect(codec.decode(Stream.fromChunk(Chunk.unsafeFromArray(pieces)))),
      (chunks) => Buffer.concat(Chunk.toReadonlyArray(chunks)).toString()
    )
  }

  for (const [name, code] of Object.entries(coders)) {
    it.effect(`are decoded, cut anywhere: ${name}`, () =>
      Effect.gen(function*() {
        const codec = NodeCodecs.codecs.find(({ names }) => names.includes(name.split(",")[0]))
        assert.isDefined(codec)
        const member = code("a")
        const whole = codec?.names[0] === "gzip" ? Buffer.concat([member, member, Buffer.from("rest")]) : member
        const expected = codec?.names[0] === "gzip" ? "aa" : "a"
        const all = Array.from(whole, (_, i) => i)
        for (const cut of all) {
          assert.strictEqual(yield* decoded(codec as ContentCoding.Codec, whole, [cut]), expected, `cut at ${cut}`)
        }
        assert.strictEqual(yield* decoded(codec as ContentCoding.Codec, whole, all), expected)
      }))
  }

  it.effect("as hundreds of members", () =>
    Effect.gen(function*() {
      const whole = Buffer.concat(Array.from({ length: 500 }, () => zlib.gzipSync("a")))
      const cuts = Array.from({ length: 10 }, (_, i) => (i + 1) * 1001)
      assert.strictEqual((yield* decoded(NodeCodecs.codecs[0], whole, cuts)).length, 500)
    }))
})

for (const [how, read] of Object.entries(readings)) {
  describe(`A coded body, read ${how}`, () => {
    for (const [name, code] of Object.entries(coders)) {
      const coding = name.split(",")[0]

      it.effect(`${name} of any size, cut anywhere`, () =>
        Effect.gen(function*() {
          for (const content of ["", "a", text, large]) {
            for (const size of content.length > 100 ? [7, 1000, 100_000] : [1, 1000]) {
              if (content === large && size === 7) continue
              const response = yield* respond(code(content), coding, { size })
              assert.isTrue((yield* read(response)) === content)
            }
          }
        }))

      it.effect(`${name}, truncated or corrupt, is a typed error`, () =>
        Effect.gen(function*() {
          for (const content of [text, large]) {
            const whole = code(content)
            for (const end of [1, Math.floor(whole.length / 2), whole.length - 1]) {
              // zlib's own format has no way to distinguish one byte from the beginning of raw data.
              const reason = reasonOf(yield* Effect.flip(Effect.flatMap(respond(whole.subarray(0, end), coding), read)))
              assert.include(["Truncated", "Corrupt"], reason, `${end} of ${whole.length}`)
              if (coding === "gzip") assert.strictEqual(reason, "Truncated")
            }
          }
          const broken = Uint8Array.from(code(text), (byte, i) => i > 20 && i < 40 ? byte ^ 0xff : byte)
          assert.include(
            ["Corrupt", "Truncated"],
            reasonOf(yield* Effect.flip(Effect.flatMap(respond(broken, coding), read)))
          )
        }))

      it.effect(`${name}: bytes after its end are ignored`, () =>
        Effect.gen(function*() {
          for (const junk of ["\0\0\0", "junk", "j"]) {
            for (const size of [1, 1000]) {
              const body = Buffer.concat([code(text), Buffer.from(junk)])
              assert.strictEqual(yield* Effect.flatMap(respond(body, coding, { size }), read), text, junk)
            }
          }
        }))

      it.effect(`${name} is bounded by size and by ratio`, () =>
        Effect.gen(function*() {
          const sized = yield* Effect.flip(
            Effect.flatMap(respond(code(text), coding, { options: { maxSize: 5000 } }), read)
          )
          assert.strictEqual(reasonOf(sized), "TooLarge")
          const bomb = code(Buffer.alloc(40 * 1024 * 1024))
          assert.strictEqual(reasonOf(yield* Effect.flip(Effect.flatMap(respond(bomb, coding), read))), "TooLarge")
        }))
    }

    it.effect.skipIf(coders["zstd"] === undefined)(
      "zstd with several frames, and one that is skipped",
      () =>
        Effect.gen(function*() {
          const skipped = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 1)
          for (const size of [1, 7, 1000, 1_000_000]) {
            for (const content of [text, large]) {
              if (content === large && size < 1000) continue
              const body = Buffer.concat([coders["zstd"](content), skipped, coders["zstd"]("end")])
              assert.isTrue((yield* Effect.flatMap(respond(body, "zstd", { size }), read)) === `${content}end`)
            }
          }
        })
    )

    it.effect("gzip with several members, and a member that is damaged", () =>
      Effect.gen(function*() {
        const members = Buffer.concat([
          zlib.gzipSync("one "),
          zlib.gzipSync(""),
          zlib.gzipSync(large),
          zlib.gzipSync("end")
        ])
        for (const size of [1000, 1_000_000]) {
          assert.strictEqual(yield* Effect.flatMap(respond(members, "gzip", { size }), read), `one ${large}end`)
        }
        const checksum = Buffer.concat([zlib.gzipSync("one")])
        checksum[checksum.length - 6] ^= 1
        assert.strictEqual(reasonOf(yield* Effect.flip(Effect.flatMap(respond(checksum, "gzip"), read))), "Corrupt")
      }))

    it.effect("gzip with a name, a comment, extra fields and a checksum of its header", () =>
      Effect.gen(function*() {
        const plain = zlib.gzipSync(text)
        const head = Buffer.concat([
          plain.subarray(0, 3),
          Buffer.from([2 | 4 | 8 | 16]),
          plain.subarray(4, 10),
          Buffer.from([3, 0, 1, 2, 3]),
          Buffer.from("name\0comment\0"),
          Buffer.from([0, 0])
        ])
        for (const size of [1, 1000]) {
          const body = Buffer.concat([head, plain.subarray(10)])
          assert.strictEqual(yield* Effect.flatMap(respond(body, "gzip", { size }), read), text)
        }
      }))

    it.effect("several codings, undone from the last; more than five, and unknown ones, are typed errors", () =>
      Effect.gen(function*() {
        const twice = zlib.brotliCompressSync(zlib.gzipSync(text))
        assert.strictEqual(yield* Effect.flatMap(respond(twice, "GZIP, identity , br"), read), text)
        const six = "gzip, gzip, gzip, gzip, gzip, gzip"
        assert.strictEqual(reasonOf(yield* Effect.flip(Effect.flatMap(respond(twice, six), read))), "TooMany")
        for (const unknown of ["compress", "gzip, x", "constructor"]) {
          assert.strictEqual(reasonOf(yield* Effect.flip(Effect.flatMap(respond(twice, unknown), read))), "Unknown")
        }
      }))

    it.effect("nothing to decode is left alone", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* Effect.flatMap(respond(new Uint8Array(0), "gzip"), read), "")
        const partial = yield* respond(Buffer.from("part"), "gzip", { status: 206 })
        assert.strictEqual(yield* read(partial), "part")
        for (const untouched of [{ status: 204 }, { status: 304 }, { method: "HEAD" }, { status: 206 }] as const) {
          const { headers } = yield* respond(Buffer.from("part"), "gzip", untouched)
          assert.strictEqual(headers["content-encoding"], "gzip")
        }
      }))
  })
}

describe("A body that has been decoded", () => {
  it.effect("is not decoded again", () =>
    Effect.gen(function*() {
      let count = 0
      const counting = NodeCodecs.codecs.map((codec): ContentCoding.Codec => ({
        ...codec,
        decodeSync: (bytes, maxSize) => {
          count++
          return codec.decodeSync(bytes, maxSize)
        }
      }))
      const client = HttpClient.make((request) =>
        Effect.succeed(HttpClientResponse.fromWeb(
          request,
          new Response(zlib.gzipSync("[1]"), { headers: { "content-encoding": "gzip" } })
        ))
      )
      const response = yield* ContentCoding.decode(client, counting).get("http://a.test/")
      assert.deepStrictEqual([yield* response.text, yield* response.json], ["[1]", [1]])
      assert.strictEqual(count, 1)
    }))
})

describe("HttpClientLayer with codings", () => {
  const setup = (replies: TestServer.Options["replies"], options = {}) =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies })
      return { server, url: server.url, ...(yield* makeClient(options)) }
    })

  const json = JSON.stringify({ text })
  const coded = Reply.bytes(zlib.gzipSync(json), { headers: { "content-encoding": "gzip", "x-kept": "1" } })

  it.scoped("decodes by default, reports the truth, and keeps what came to be had", () =>
    Effect.gen(function*() {
      const { client, pool, server, typed, url } = yield* setup({
        "*": (request) =>
          request.header("accept-encoding")?.startsWith("gzip, deflate, br") === true ? coded : Reply.empty()
      })
      for (const each of [client, typed]) {
        const response = yield* each.get(`${url}/`)
        assert.strictEqual(JSON.stringify(yield* response.json), json)
        assert.strictEqual(JSON.stringify(yield* response.json), json)
        assert.isUndefined(response.headers["content-encoding"])
        assert.isUndefined(response.headers["content-length"])
        assert.strictEqual(response.headers["x-kept"], "1")
        assert.strictEqual(ContentCoding.raw(response).headers["content-encoding"], "gzip")
        assert.isTrue(PooledHttpClient.connectionInfo(response)._tag === "Some")
      }
      yield* idle(pool, server, 1)
    }))

  it.scoped("gives what came to a caller who asks for a coding or a range, and by option to all", () =>
    Effect.gen(function*() {
      const on = yield* setup({ "*": coded })
      for (const headers of [{ "accept-encoding": "gzip" }, { range: "bytes=0-" }]) {
        const response = yield* on.client.get(`${on.url}/`, { headers })
        assert.strictEqual(response.headers["content-encoding"], "gzip")
        assert.strictEqual(zlib.gunzipSync(yield* response.arrayBuffer).toString(), json)
      }
      const off = yield* setup({ "*": (request) => Reply.text(String(request.header("accept-encoding"))) }, {
        decompress: false
      })
      assert.strictEqual(yield* Effect.flatMap(off.client.get(`${off.url}/`), (_) => _.text), "undefined")
    }))

  it.scoped("maxResponseSize bounds what comes of a body too; an error of JSON shows nothing of it", () =>
    Effect.gen(function*() {
      const secret = Reply.bytes(zlib.gzipSync("{\"token\": s3cret"), { headers: { "content-encoding": "gzip" } })
      const { client, url } = yield* setup({ "/large": coded, "/json": secret }, { maxResponseSize: 1000 })
      const response = yield* client.get(`${url}/large`)
      assert.strictEqual(reasonOf(yield* Effect.flip(response.text)), "TooLarge")
      const wrong = yield* Effect.flip(Effect.flatMap(client.get(`${url}/json`), (_) => _.json))
      assert.notInclude(`${wrong.message} ${String(wrong.cause)}`, "s3cret")
      assert.include(wrong.message, "JSON")
    }))

  it.scoped("an event stream is decoded as it comes", () =>
    Effect.gen(function*() {
      const gzip = zlib.createGzip()
      const flushed = (event: string) =>
        new Promise<Uint8Array>((resolve) => {
          gzip.write(event)
          gzip.flush(zlib.constants.Z_SYNC_FLUSH, () => resolve(gzip.read()))
        })
      const first = yield* Effect.promise(() => flushed("data: one\n\n"))
      const { client, url } = yield* setup({
        "*": Reply.chunks([first, yield* Gate.make], {
          headers: { "content-encoding": "gzip", "content-type": "text/event-stream" }
        })
      })
      const events = yield* Sse.stream(client, HttpClientRequest.get(`${url}/`)).pipe(Stream.take(1), Stream.runCollect)
      assert.deepStrictEqual(Chunk.toReadonlyArray(events).map(({ data }) => data), ["one"])
    }))

  it.scoped("discard gives the connection back", () =>
    Effect.gen(function*() {
      const { client, pool, server, url } = yield* setup({ "*": coded })
      yield* PooledHttpClient.discard(yield* client.get(`${url}/`))
      yield* idle(pool, server, 1)
    }))
})
