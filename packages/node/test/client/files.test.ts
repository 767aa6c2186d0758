import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import type { HttpBody } from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Redirects from "@sluice/core/Redirects"
import * as Retry from "@sluice/core/Retry"
import { Files } from "@sluice/node"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { failure, idle, makeClient, pattern, settled, until } from "./support.js"

const setup = (replies: TestServer.Options["replies"]) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped()
    const server = yield* TestServer.make({ replies, maxRecordedBody: 2 * 1024 * 1024 })
    return { files, folder, server, url: server.url, ...(yield* makeClient()) }
  })

const size = 1024 * 1024

/** The bytes that each event reports, and in which form. */
const figuresOf = (events: Chunk.Chunk<Files.Event>) =>
  Chunk.toReadonlyArray(events).map((event) => [
    event._tag,
    event.bytes,
    event._tag === "Progress" ? Option.getOrUndefined(event.total) : undefined
  ])

describe("Files.download", () => {
  it.scopedLive("writes a file, and reports how far it is", () =>
    Effect.gen(function*() {
      const { client, files, folder, pool, server, url } = yield* setup({ "*": Reply.size(size) })
      const path = `${folder}/a.bin`
      yield* files.writeFileString(path, "old")
      const events = yield* Stream.runCollect(
        Files.download(client, HttpClientRequest.get(`${url}/`), path, { interval: 0 })
      )
      const figures = figuresOf(events)
      assert.isTrue(
        figures.slice(0, -1).every(([tag, bytes, total]) =>
          tag === "Progress" && Number(bytes) <= size && total === size
        )
      )
      assert.deepStrictEqual(figures[figures.length - 1], ["Done", size, undefined])
      const order = figures.map(([, bytes]) => Number(bytes))
      assert.deepStrictEqual(order, [...order].sort((a, b) => a - b))
      assert.deepStrictEqual(Buffer.from(yield* files.readFile(path)), Buffer.from(pattern(size)))
      assert.deepStrictEqual(yield* files.readDirectory(folder), ["a.bin"])
      yield* idle(pool, server, 1)
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scopedLive("an empty one, and one whose size nobody knows", () =>
    Effect.gen(function*() {
      const { client, files, folder, url } = yield* setup({
        "/empty": Reply.bytes(new Uint8Array(0)),
        "/unknown": Reply.chunks(["abc", "def"])
      })
      const get = (name: string) =>
        Stream.runLast(Files.download(client, HttpClientRequest.get(`${url}/${name}`), `${folder}/${name}`))
      assert.strictEqual(Option.getOrThrow(yield* get("empty")).bytes, 0)
      assert.strictEqual(Option.getOrThrow(yield* get("unknown")).bytes, 6)
      assert.strictEqual(yield* files.readFileString(`${folder}/empty`), "")
      assert.strictEqual(yield* files.readFileString(`${folder}/unknown`), "abcdef")
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scopedLive("leaves nothing behind when it is refused, breaks off, or is left; the old file stays", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const { client, files, folder, server, url } = yield* setup({
        "/missing": Reply.text("no such file", { status: 404 }),
        "/broken": Reply.size(size, { abrupt: { afterBytes: 300_000 } }),
        "/held": Reply.chunks(["a".repeat(100_000), gate])
      })
      const path = `${folder}/a.bin`
      yield* files.writeFileString(path, "old")
      const get = (name: string) => Files.download(client, HttpClientRequest.get(`${url}/${name}`), path)
      const refused = yield* Effect.flip(Stream.runDrain(get("missing")))
      assert.deepInclude(refused, { _tag: "ResponseError", reason: "StatusCode" })
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(get("broken"))))._tag, "ResponseError")
      const fiber = yield* Effect.fork(Stream.runDrain(get("held")))
      yield* gate.awaitHeld(1)
      yield* Fiber.interrupt(fiber)
      yield* Stream.runDrain(Stream.take(get("held"), 1))
      assert.deepStrictEqual(yield* files.readDirectory(folder), ["a.bin"])
      assert.strictEqual(yield* files.readFileString(path), "old")
      yield* server.awaitStats(({ activeRequests }) => activeRequests === 0)
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})

describe("A file that changes", () => {
  /** What `change` does to the file happens when a chunk of it has been read. */
  const send = (change: (files: FileSystem.FileSystem, path: string) => Effect.Effect<void, unknown>, early = false) =>
    Effect.gen(function*() {
      const { client, files, folder, pool, server, url } = yield* setup({ "*": Reply.text("thanks") })
      const path = `${folder}/a.log`
      yield* files.writeFile(path, pattern(size))
      yield* files.utimes(path, 1000, 1000)
      let isChanged = false
      const once = Effect.suspend(() => {
        if (isChanged) return Effect.void
        isChanged = true
        return Effect.orDie(change(files, path))
      })
      const changing: FileSystem.FileSystem = {
        ...files,
        stream: (path, options) => Stream.tap(files.stream(path, options), () => early ? Effect.void : once)
      }
      const provide = Effect.provideService(FileSystem.FileSystem, changing)
      const bodies = [
        yield* provide(Files.body(path)),
        yield* provide(Files.multipart({ text: "text", file: { path } }))
      ]
      if (early) yield* once
      const outcomes: Array<string> = []
      for (const body of bodies) {
        isChanged = early
        yield* files.utimes(path, 1000, 1000)
        const request = HttpClientRequest.setBody(HttpClientRequest.put(url), body)
        const error = yield* failure(client.execute(request))
        const cause = error._tag === "RequestBodyError" ? error.cause : error
        outcomes.push(cause instanceof Files.FileChanged ? cause.detail.replace(/\d+/g, "n") : String(cause))
        assert.strictEqual((yield* settled(pool)).open, 0)
      }
      yield* server.awaitStats(({ activeRequests }) => activeRequests === 0)
      assert.isTrue((yield* server.requests).every(({ complete }) => !complete))
      return outcomes
    }).pipe(Effect.provide(NodeFileSystem.layer))

  const append = (files: FileSystem.FileSystem, path: string) => files.writeFileString(path, "more", { flag: "a" })
  const announced = "had n bytes when its size was announced, and has n now"

  it.scopedLive("and grows is not sent whole", () =>
    Effect.gen(function*() {
      // The second time it is longer from the beginning.
      assert.deepStrictEqual(yield* send(append), ["was written to while it was sent", announced])
    }))

  it.scopedLive("and becomes shorter is not sent short", () =>
    Effect.gen(function*() {
      const cut = (files: FileSystem.FileSystem, path: string) => files.truncate(path, 100_000)
      const [first, second] = yield* send(cut)
      // The platform reads ahead: all of it may have been read by then.
      assert.include(["ended after n of n bytes", "was written to while it was sent"], first)
      assert.strictEqual(second, announced)
    }))

  it.scopedLive("between the making of its body and the sending is not sent", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* send(append, true), [announced, announced])
    }))

  it.scopedLive("and keeps its size is not sent as a mixture", () =>
    Effect.gen(function*() {
      const overwrite = (files: FileSystem.FileSystem, path: string) =>
        files.writeFile(path, new Uint8Array(size), { flag: "r+" })
      const written = "was written to while it was sent"
      assert.deepStrictEqual(yield* send(overwrite), [written, written])
    }))
})

describe("Files.upload", () => {
  it.scopedLive.each<readonly [string, (path: string) => Effect.Effect<HttpBody, unknown, FileSystem.FileSystem>]>([
    ["a file", (path) => Files.body(path)],
    [
      "bytes",
      () => Effect.succeed(HttpClientRequest.bodyUint8Array(HttpClientRequest.put("/"), pattern(size)).body)
    ]
  ])("of %s reports how far it is, and ends with the response", ([, bodyOf]) =>
    Effect.gen(function*() {
      const { client, files, folder, server, url } = yield* setup({ "*": Reply.text("thanks", { status: 201 }) })
      const path = `${folder}/a.bin`
      yield* files.writeFile(path, pattern(size))
      const request = HttpClientRequest.put(`${url}/`).pipe(
        HttpClientRequest.setBody(yield* Effect.orDie(bodyOf(path)))
      )
      const events = yield* Stream.runCollect(Files.upload(client, request, { interval: 0 }))
      const figures = figuresOf(events)
      assert.deepStrictEqual(figures[figures.length - 1], ["Done", size, undefined])
      assert.isTrue(
        figures.length > 1 && figures.slice(0, -1).every(([, bytes, total]) => Number(bytes) <= size && total === size)
      )
      const last = Chunk.unsafeLast(events)
      assert.strictEqual(last._tag === "Done" && (yield* last.response.text), "thanks")
      const [received] = yield* server.requests
      assert.strictEqual(received.header("content-length"), String(size))
      assert.strictEqual(received.header("content-type"), "application/octet-stream")
      assert.deepStrictEqual(Buffer.from(received.body), Buffer.from(pattern(size)))
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scopedLive("a file is sent again by a retry and a redirect, with the whole of it", () =>
    Effect.gen(function*() {
      const { client, files, folder, server, url } = yield* setup({
        "/1": [
          Reply.empty({ status: 503, headers: { "retry-after": "0" } }),
          Reply.empty({
            status: 307,
            headers: { location: "/2" }
          })
        ],
        "/2": Reply.empty()
      })
      yield* files.writeFileString(`${folder}/a.txt`, "content")
      const request = HttpClientRequest.put(`${url}/1`).pipe(
        HttpClientRequest.setBody(yield* Files.body(`${folder}/a.txt`, { contentType: "text/plain" }))
      )
      const events = yield* Stream.runCollect(
        Files.upload(client.pipe(Retry.safely(), Redirects.follow()), request)
      )
      assert.deepStrictEqual(figuresOf(Chunk.takeRight(events, 1)), [["Done", 7, undefined]])
      const requests = yield* server.requests
      assert.deepStrictEqual(requests.map(({ body, path }) => [path, Buffer.from(body).toString()]), [
        ["/1", "content"],
        ["/1", "content"],
        ["/2", "content"]
      ])
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scopedLive("who leaves ends the request", () =>
    Effect.gen(function*() {
      const { client, pool, server, url } = yield* setup({ "*": Reply.never })
      const request = HttpClientRequest.bodyUint8Array(HttpClientRequest.put(`${url}/`), pattern(size))
      yield* Stream.runDrain(Stream.take(Files.upload(client, request), 1))
      yield* until(() => pool.unsafeStats().leases === 0)
      yield* server.awaitStats(({ activeRequests }) => activeRequests === 0)
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})

describe("Files.multipart", () => {
  it.scopedLive("sends texts and files by path, as often as it must", () =>
    Effect.gen(function*() {
      const { client, files, folder, server, url } = yield* setup({
        "*": [Reply.empty({ status: 503, headers: { "retry-after": "0" } }), Reply.empty()]
      })
      yield* files.writeFileString(`${folder}/a "b".txt`, "first")
      yield* files.writeFile(`${folder}/c.bin`, pattern(200_000))
      const body = yield* Files.multipart({
        title: "grüße",
        tags: ["x", "y"],
        files: [{ path: `${folder}/a "b".txt`, contentType: "text/plain" }, { path: `${folder}/c.bin`, name: "d.bin" }]
      })
      const request = HttpClientRequest.put(`${url}/`).pipe(HttpClientRequest.setBody(body))
      assert.strictEqual((yield* Retry.safely(client).execute(request)).status, 200)
      const requests = yield* server.requests
      assert.strictEqual(requests.length, 2)
      for (const received of requests) {
        assert.strictEqual(received.header("content-length"), String(received.body.length))
        const form = yield* Effect.promise(() =>
          new Response(received.body as BodyInit, {
            headers: { "content-type": received.header("content-type") ?? "" }
          }).formData()
        )
        assert.strictEqual(form.get("title"), "grüße")
        assert.deepStrictEqual(form.getAll("tags"), ["x", "y"])
        const [first, second] = form.getAll("files") as unknown as ReadonlyArray<File>
        assert.deepStrictEqual([first.name, first.type], ["a \"b\".txt", "text/plain"])
        assert.strictEqual(yield* Effect.promise(() => first.text()), "first")
        assert.deepStrictEqual([second.name, second.size], ["d.bin", 200_000])
      }
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scopedLive("a file that is not there is an error before anything is sent", () =>
    Effect.gen(function*() {
      const { folder } = yield* setup({})
      const error = yield* Effect.flip(Files.multipart({ file: { path: `${folder}/none` } }))
      assert.deepInclude(error, { _tag: "SystemError", reason: "NotFound" })
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})
