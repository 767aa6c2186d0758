/**
 * Uploads and downloads of files, and how far they are.
 *
 * @since 0.1.0
 */
import * as optionTable from "@sluice/engine/options"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { identity } from "effect/Function"
import type { HttpBody } from "effect/http/HttpBody"
import type * as HttpClient from "effect/http/HttpClient"
import { type HttpClientError, StatusCodeError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { discard } from "./internal/client/discard.js"
import { clientError } from "./internal/client/errors.js"
import * as multiparts from "./internal/client/multipart.js"
import { ReopenableBody } from "./internal/client/ReopenableBody.js"
import * as RequestBody from "./internal/client/RequestBody.js"
import { shownRequest } from "./internal/client/shownRequest.js"
import { derivedFrom } from "./internal/derivedBody.js"
import * as fileSource from "./internal/fileSource.js"
import { slices } from "./internal/pulled.js"
import { isReplayable } from "./internal/replayableBody.js"
import { check } from "./InvalidOptions.js"

/**
 * How far a transfer is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Progress {
  readonly _tag: "Progress"
  /** So many bytes of the body have gone to the transport, or have come. It begins anew when a body is sent again. */
  readonly bytes: number
  /** Of how many; none when nobody has said. */
  readonly total: Option.Option<number>
}

/**
 * The transfer is complete; its last event.
 *
 * @since 0.1.0
 * @category models
 */
export interface Done {
  readonly _tag: "Done"
  readonly bytes: number
  /** Of a download, its body has been read. */
  readonly response: HttpClientResponse
}

/**
 * @since 0.1.0
 * @category models
 */
export type Event = Progress | Done

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How long there is no other `Progress` after one. Default 100 ms. */
  readonly interval?: Duration.Input | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface FileOptions {
  /** Default `application/octet-stream`. */
  readonly contentType?: string | undefined
}

/**
 * A file as a body. It is opened when it is sent, and can be sent again: by a retry, by a redirect, after a challenge. One that
 * changes while it is sent, or has another size by then, fails the request with `RequestBodyError`, whose cause is
 * `FileChanged`; the server does not get all of it. What is no regular file, as a pipe, has no size and is read once.
 *
 * @example
 * ```ts
 * import * as HttpClientRequest from "effect/http/HttpClientRequest"
 * import * as Files from "@sluice/core4/Files"
 * import * as Effect from "effect/Effect"
 *
 * const request = Effect.map(Files.body("report.pdf", { contentType: "application/pdf" }), (body) =>
 *   HttpClientRequest.put("http://127.0.0.1:8080/reports/1").pipe(HttpClientRequest.setBody(body)))
 * ```
 *
 * @since 0.1.0
 * @category bodies
 */
export const body = (
  path: string,
  { contentType = "application/octet-stream" }: FileOptions = {}
): Effect.Effect<HttpBody, PlatformError, FileSystem.FileSystem> =>
  Effect.map(
    fileSource.open(path),
    ({ isReplayable, size, stream }) => new ReopenableBody(stream, contentType, size, isReplayable)
  )

export {
  /**
   * A file is not what it was when its size was announced, or changes while it is sent. It is the cause of a
   * `RequestBodyError`.
   *
   * @since 0.1.0
   * @category errors
   */
  FileChanged
} from "./internal/fileSource.js"

/**
 * A file as a part of a form.
 *
 * @since 0.1.0
 * @category models
 */
export interface FilePart extends FileOptions {
  readonly path: string
  /** The name that the server gets for it. Default: the last part of its path. */
  readonly name?: string | undefined
}

/**
 * A form as `multipart/form-data`: each field a text or a file, or several of them. Files are streamed when they are sent,
 * and the form can be sent again.
 *
 * @example
 * ```ts
 * import * as HttpClientRequest from "effect/http/HttpClientRequest"
 * import * as Files from "@sluice/core4/Files"
 * import * as Effect from "effect/Effect"
 *
 * const request = Effect.map(Files.multipart({ title: "Q3", files: [{ path: "q3.csv" }, { path: "q3.pdf" }] }), (body) =>
 *   HttpClientRequest.post("http://127.0.0.1:8080/reports").pipe(HttpClientRequest.setBody(body)))
 * ```
 *
 * @since 0.1.0
 * @category bodies
 */
export const multipart = (
  fields: Readonly<Record<string, string | FilePart | ReadonlyArray<string | FilePart>>>
): Effect.Effect<HttpBody, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const parts: Array<multiparts.Part> = []
    let isReplayable = true
    const open = (path: string) =>
      Effect.map(fileSource.open(path), (file) => {
        isReplayable &&= file.isReplayable
        return file
      })
    for (const [name, field] of Object.entries(fields)) {
      for (const value of typeof field === "string" || "path" in field ? [field] : field) {
        parts.push(
          typeof value === "string"
            ? { name, text: value }
            : {
              name,
              file: yield* open(value.path),
              filename: value.name ?? baseName(value.path),
              contentType: value.contentType ?? "application/octet-stream"
            }
        )
      }
    }
    const { contentLength, contentType, stream } = multiparts.encodeParts(parts)
    return new ReopenableBody(stream, contentType, contentLength, isReplayable)
  })

const baseName = (path: string): string => path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1)

/**
 * Sends a request, whatever its body is, and reports how far it is. The last event has the response, also when that says that
 * it was refused. Leaving the stream ends the request.
 *
 * @example
 * ```ts
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as HttpClientRequest from "effect/http/HttpClientRequest"
 * import * as Files from "@sluice/core4/Files"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const program = Effect.gen(function*() {
 *   const client = yield* HttpClient.HttpClient
 *   const request = HttpClientRequest.put("http://127.0.0.1:8080/backup").pipe(
 *     HttpClientRequest.setBody(yield* Files.body("backup.tar"))
 *   )
 *   return yield* Stream.runForEach(Files.upload(client, request), (event) => Effect.log(event.bytes))
 * })
 * ```
 *
 * @since 0.1.0
 * @category transfers
 */
export const upload = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  request: HttpClientRequest.HttpClientRequest,
  options?: Options
): Stream.Stream<Event, E, Exclude<R, Scope.Scope>> =>
  transfer(options, (report) => {
    let sent = 0
    const counted = withCount(request, (bytes, total) => {
      sent = bytes
      report(bytes, total)
    })
    return Effect.map(client.execute(counted), (response) => ({ _tag: "Done", bytes: sent, response }))
  })

/** Chunks of this size are counted, where a body is there in one piece. */
const chunkSize = 64 * 1024

const withCount = (
  request: HttpClientRequest.HttpClientRequest,
  report: Report
): HttpClientRequest.HttpClientRequest => {
  const made = RequestBody.make(request.body, request.headers["content-type"])
  // What has no body has nothing to count, and what cannot be sent the client says.
  if (!("exchange" in made) || made.exchange._tag === "None" || made.trailers !== undefined) return request
  const { contentType = "", exchange } = made
  const total = exchange._tag === "Bytes" ? exchange.bytes.length : exchange.length
  const chunks = exchange._tag === "Bytes" ? slices(exchange.bytes, chunkSize) : RequestBody.chunksOf(made)
  const stream = Stream.suspend(() => {
    let sent = 0
    return Stream.tap(chunks, (chunk) =>
      Effect.sync(() => {
        sent += chunk.length
        report(sent, total)
      }))
  })
  return HttpClientRequest.setBody(
    request,
    derivedFrom(request.body, new ReopenableBody(stream, contentType, total, isReplayable(request.body)))
  )
}

/**
 * Downloads into a file, and reports how far it is. The file is there when all of it is, and replaces one of that name then:
 * what comes is written beside it, and is gone when the download fails or the stream is left. A status other than 2xx is a
 * `HttpClientError`.
 *
 * What came compressed is written decoded, and then nobody knows its size beforehand: ask for `accept-encoding: identity`
 * where that matters.
 *
 * @example
 * ```ts
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as HttpClientRequest from "effect/http/HttpClientRequest"
 * import * as Files from "@sluice/core4/Files"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const program = Effect.flatMap(HttpClient.HttpClient, (client) =>
 *   Files.download(client, HttpClientRequest.get("http://127.0.0.1:8080/large"), "large.bin").pipe(
 *     Stream.runForEach((event) => Effect.log(event.bytes))
 *   ))
 * ```
 *
 * @since 0.1.0
 * @category transfers
 */
export const download = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  request: HttpClientRequest.HttpClientRequest,
  path: string,
  options?: Options
): Stream.Stream<Event, E | HttpClientError | PlatformError, Exclude<R, Scope.Scope> | FileSystem.FileSystem> =>
  transfer(options, (report) =>
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const response = yield* client.execute(request)
      if (response.status < 200 || response.status > 299) {
        yield* discard(response)
        return yield* clientError(() =>
          new StatusCodeError({ request: shownRequest(response.request), response, description: "not downloaded" })
        )
      }
      const length = response.headers["content-length"]
      const total = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined
      const partial = `${path}.${crypto.randomUUID()}.part`
      let received = 0
      report(0, total)
      yield* response.stream.pipe(
        Stream.tap((chunk) =>
          Effect.sync(() => {
            received += chunk.length
            report(received, total)
          })
        ),
        Stream.run(files.sink(partial)),
        Effect.andThen(files.rename(partial, path)),
        // It may be left before anybody has begun to read.
        Effect.onError(() => Effect.andThen(discard(response), Effect.ignore(files.remove(partial, { force: true }))))
      )
      return { _tag: "Done", bytes: received, response } as const
    }))

type Report = (bytes: number, total: number | undefined) => void

/** Progress is dropped when nobody takes it; the last event is not. */
const transfer = <E, R>(
  options: Options = {},
  run: (report: Report) => Effect.Effect<Done, E, R>
): Stream.Stream<Event, E, Exclude<R, Scope.Scope>> => {
  const { interval } = Result.getOrThrowWith(check(optionTable.files, options, "Files"), identity)
  return Stream.unwrap(Effect.gen(function*() {
    const events = yield* Queue.make<Event, E | Cause.Done>({ capacity: 1, strategy: "sliding" })
    const clock = yield* Clock.Clock
    const pause = BigInt(Number.isFinite(interval) ? Math.round(interval * 1e6) : Number.MAX_SAFE_INTEGER)
    let next: bigint | undefined
    const report: Report = (bytes, total) => {
      const now = clock.monotonicTimeNanosUnsafe()
      if (next !== undefined && now < next && bytes !== total) return
      next = now + pause
      Queue.offerUnsafe(events, { _tag: "Progress", bytes, total: Option.fromNullishOr(total) })
    }
    yield* run(report).pipe(
      Effect.flatMap((done) => Queue.offer(events, done)),
      Queue.into(events),
      Effect.forkScoped
    )
    return Stream.fromQueue(events)
  }))
}
