import * as HttpBody from "@effect/platform/HttpBody"
import type { HttpClient } from "@effect/platform/HttpClient"
import { HttpClient as Client } from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { ConnectionPool } from "@sluice/core/ConnectionPool"
import { HttpClientLayer } from "@sluice/node"
import { Reply, TestServer } from "@sluice/test-server"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Readable } from "node:stream"
import { afterAll } from "vitest"
import { pattern, turn, until } from "./support.js"

// Every kind of body × every way that a request can end: what was open is closed, what arrives is never silently short, and
// nothing is thrown where nobody listens.

const piece = pattern(100_000)
const pieces = 30
const total = piece.length * pieces

/** A body, and whether it has let go of what it had open. */
interface Made {
  readonly body: HttpBody.HttpBody
  readonly isClosed: () => boolean
}

const open = () => {
  let closed = false
  return { close: () => void (closed = true), isClosed: () => closed }
}

/** What gives its pieces one by one, each in a turn of its own, and notes that it was ended. */
async function* generate(close: () => void) {
  try {
    for (let n = 0; n < pieces; n++) {
      await new Promise((resolve) => setImmediate(resolve))
      yield piece
    }
  } finally {
    close()
  }
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sluice-bodies-"))
const file = path.join(folder, "file")
fs.writeFileSync(file, Buffer.concat(Array.from({ length: pieces }, () => piece)))

const kinds: Record<string, () => Made> = {
  "a file's stream": () => {
    const stream = fs.createReadStream(file)
    return { body: HttpBody.raw(stream), isClosed: () => stream.closed }
  },
  "a Readable": () => {
    const stream = Readable.from(generate(() => {}))
    return { body: HttpBody.raw(stream), isClosed: () => stream.destroyed }
  },
  "a ReadableStream": () => {
    const { close, isClosed } = open()
    const iterator = generate(() => {})
    const stream = new ReadableStream({
      pull: async (controller) => {
        const next = await iterator.next()
        if (next.done !== true) return controller.enqueue(next.value)
        close()
        controller.close()
      },
      cancel: close
    })
    return { body: HttpBody.raw(stream), isClosed }
  },
  "a generator": () => {
    const { close, isClosed } = open()
    let begun = false
    const generator = generate(close)
    const next = generator.next.bind(generator)
    generator.next = () => {
      begun = true
      return next()
    }
    // One that was never begun has nothing open.
    return { body: HttpBody.raw(generator), isClosed: () => !begun || isClosed() }
  },
  "an iterable": () => {
    const { close, isClosed } = open()
    let opened = 0
    return {
      body: HttpBody.raw({
        [Symbol.asyncIterator]: () => {
          opened++
          return generate(close)
        }
      }),
      isClosed: () => opened === 0 || isClosed()
    }
  },
  "a Stream": () => {
    const { close, isClosed } = open()
    let opened = 0
    const stream = Stream.acquireRelease(Effect.sync(() => opened++), () => Effect.sync(close)).pipe(
      Stream.flatMap(() => Stream.fromIterable(Array.from({ length: pieces }, () => piece))),
      Stream.mapEffect((piece) => Effect.as(turn, piece))
    )
    return { body: HttpBody.stream(stream), isClosed: () => opened === 0 || isClosed() }
  },
  "a Stream of known length": () => {
    const { close, isClosed } = open()
    let opened = 0
    const stream = Stream.acquireRelease(Effect.sync(() => opened++), () => Effect.sync(close)).pipe(
      Stream.flatMap(() => Stream.fromIterable(Array.from({ length: pieces }, () => piece)))
    )
    return { body: HttpBody.stream(stream, undefined, total), isClosed: () => opened === 0 || isClosed() }
  },
  "a Blob": () => ({ body: HttpBody.raw(new Blob(Array.from({ length: pieces }, () => piece))), isClosed: () => true }),
  "a form": () => {
    const form = new FormData()
    form.append("file", new Blob(Array.from({ length: pieces }, () => piece)), "a.bin")
    return { body: HttpBody.formData(form), isClosed: () => true }
  },
  "bytes": () => ({ body: HttpBody.uint8Array(fs.readFileSync(file)), isClosed: () => true })
}

interface World {
  readonly client: HttpClient
  readonly server: TestServer.TestServer
  /** Ends the layer. */
  readonly close: Effect.Effect<void>
  /** Something is under way at the server. */
  readonly arrived: Effect.Effect<unknown>
}

type Run = (
  request: (path: string) => HttpClientRequest.HttpClientRequest,
  world: World
) => Effect.Effect<unknown, unknown>

const endings: Record<
  string,
  { readonly run: Run; readonly succeeds?: true; readonly options?: HttpClientLayer.Options }
> = {
  "a response": {
    succeeds: true,
    run: (request, { client }) => Effect.flatMap(client.execute(request("/ok")), (response) => response.text)
  },
  "a response before its end": {
    succeeds: true,
    run: (request, { client }) => Effect.flatMap(client.execute(request("/early")), (response) => response.text)
  },
  "413 before its end": {
    run: (request, { client }) => Effect.flatMap(client.execute(request("/no")), (response) => response.text)
  },
  "a reset": { run: (request, { client }) => client.execute(request("/reset")) },
  "silence": {
    options: { timeouts: { headers: "30 millis", write: "30 millis" } },
    run: (request, { client }) => client.execute(request("/never"))
  },
  "a total timeout": {
    options: { timeouts: { total: "30 millis" } },
    run: (request, { client }) => client.execute(request("/never"))
  },
  "an interrupt": {
    run: (request, { arrived, client }) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(client.execute(request("/never")))
        yield* arrived
        yield* Fiber.interrupt(fiber)
      })
  },
  "an interrupt at once": {
    run: (request, { client }) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(client.execute(request("/ok")))
        // It has begun to run.
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(fiber)
      })
  },
  "no room in the pool": {
    options: { limits: { maxConnections: 1 }, timeouts: { pool: "20 millis" } },
    run: (request, { arrived, client, server }) =>
      Effect.gen(function*() {
        const owner = yield* Effect.fork(client.get(`${server.url}/never`))
        yield* arrived
        yield* Effect.exit(client.execute(request("/ok")))
        yield* Fiber.interrupt(owner)
      })
  },
  "nothing that listens": {
    run: (request, { client }) => client.execute(HttpClientRequest.setUrl(request("/"), "http://127.0.0.1:1/"))
  },
  "a URL that is none": {
    run: (request, { client }) => client.execute(HttpClientRequest.setUrl(request("/"), "http://[/"))
  },
  "a header that cannot be sent": {
    run: (request, { client }) => client.execute(HttpClientRequest.setHeader(request("/ok"), "x", "a\nb"))
  },
  "a length that it has not": {
    run: (request, { client }) => client.execute(HttpClientRequest.setHeader(request("/ok"), "content-length", "7"))
  },
  "the layer's end": {
    run: (request, { arrived, client, close }) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(client.execute(request("/never")))
        yield* arrived
        yield* close
        yield* Fiber.await(fiber)
      })
  }
}

afterAll(() => fs.rmSync(folder, { recursive: true }))

describe.each(["HTTP/1.1", "HTTP/2"])("A body and the end of its request, %s", (protocol) => {
  for (const [ending, { options, run, succeeds }] of Object.entries(endings)) {
    it.scopedLive(ending, () =>
      Effect.gen(function*() {
        const stray: Array<unknown> = []
        const onStray = (error: unknown) => void stray.push(error)
        process.on("uncaughtException", onStray)
        process.on("unhandledRejection", onStray)
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            process.off("uncaughtException", onStray)
            process.off("unhandledRejection", onStray)
          })
        )
        for (const [kind, make] of Object.entries(kinds)) {
          const server = yield* TestServer.make({ http2: protocol === "HTTP/2", replies: { "/ok": Reply.text("ok") } })
          yield* server.reply("/early", Reply.text("early"), { early: true })
          yield* server.reply("/no", Reply.text("no", { status: 413 }), { early: true })
          yield* server.reply("/never", Reply.never, { early: true })
          yield* server.reply("/reset", Reply.disconnect("reset"), { early: true })
          const scope = yield* Scope.make()
          const layer = HttpClientLayer.layer({
            http2: protocol === "HTTP/2" ? "prior-knowledge" : false,
            ...options
          })
          const context = yield* Layer.buildWithScope(layer, scope)
          const { body, isClosed } = make()
          const exit = yield* Effect.exit(run(
            (path) => HttpClientRequest.setBody(HttpClientRequest.post(`${server.url}${path}`), body),
            {
              client: Context.get(context, Client),
              server,
              close: Scope.close(scope, Exit.void),
              arrived: server.awaitStats((stats) => stats.activeRequests > 0)
            }
          ))
          if (succeeds === true) assert.isTrue(Exit.isSuccess(exit), `${kind}: ${exit}`)
          const pool = Context.get(context, ConnectionPool)
          yield* until(() => pool.unsafeStats().leases === 0)
          yield* until(isClosed)
          yield* Scope.close(scope, Exit.void)
          // What the server takes for whole is whole.
          for (const { bodyLength, complete, method } of yield* server.requests) {
            if (method !== "POST" || !complete) continue
            if (kind === "a form") assert.isAbove(bodyLength, total, kind)
            else assert.strictEqual(bodyLength, total, kind)
          }
          assert.isAtMost((yield* server.stats).requests, ending === "no room in the pool" ? 2 : 1, kind)
        }
        yield* turn
        assert.deepStrictEqual(stray, [])
      }), 60_000)
  }
})
