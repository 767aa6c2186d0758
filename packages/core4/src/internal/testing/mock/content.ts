import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import type { TransportError } from "../../../TransportError.js"
import type * as MemoryNetwork from "../memoryModels.js"
import type * as MockHttp from "./models.js"

type Headers = Readonly<Record<string, string | ReadonlyArray<string>>>

interface Content {
  readonly headers: Headers
  readonly body: Uint8Array | Stream.Stream<string | Uint8Array, TransportError> | undefined
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The body that a reply has, in bytes where it is there already, and the headers with its type. */
export const contentOf = ({ body, form, headers = {}, json }: MockHttp.Reply): Content => {
  if (json !== undefined) {
    return { headers: withType(headers, "application/json"), body: encode(JSON.stringify(json)) }
  }
  if (form !== undefined) {
    const text = new URLSearchParams(form).toString()
    return { headers: withType(headers, "application/x-www-form-urlencoded"), body: encode(text) }
  }
  return { headers, body: typeof body === "string" ? encode(body) : body }
}

const has = (headers: Headers, name: string): boolean => Object.keys(headers).some((key) => key.toLowerCase() === name)

const withType = (headers: Headers, type: string): Headers =>
  has(headers, "content-type") ? headers : { "content-type": type, ...headers }

const withLength = (headers: Headers, bytes: Uint8Array): Headers =>
  has(headers, "content-length") || has(headers, "transfer-encoding")
    ? headers
    : { ...headers, "content-length": String(bytes.length) }

/** How often in a second bytes come when a body is throttled. */
const beats = 10

/** A chunk at a time, each when its bytes are due. */
const throttled = <E>(
  body: Stream.Stream<string | Uint8Array, E>,
  bytesPerSecond: number
): Stream.Stream<Uint8Array, E> => {
  const size = Math.max(1, Math.floor(bytesPerSecond / beats))
  let isFirst = true
  return body.pipe(
    Stream.flatMap((chunk) => {
      const bytes = typeof chunk === "string" ? encode(chunk) : chunk
      const pieces: Array<Uint8Array> = []
      for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
      return Stream.fromIterable(pieces)
    }),
    Stream.rechunk(1),
    Stream.mapEffect((piece) => {
      const wait = isFirst ? 0 : piece.length / bytesPerSecond * 1000
      isFirst = false
      return wait === 0 ? Effect.succeed(piece) : Effect.delay(Effect.succeed(piece), Duration.millis(wait))
    })
  )
}

/** The reply as the network sends it. */
export const toNetwork = (
  reply: MockHttp.Reply,
  { connection }: MemoryNetwork.Request
): Effect.Effect<MemoryNetwork.Reply> => {
  const { bytesPerSecond, cutAfter, delay, form: _form, jitter, json: _json, ...rest } = reply
  const content = contentOf(reply)
  let { headers } = content
  let body: MemoryNetwork.Reply["body"] = content.body
  if (body instanceof Uint8Array && cutAfter !== undefined) {
    headers = withLength(headers, body)
    body = Stream.concat(
      Stream.make(body.subarray(0, cutAfter)),
      Stream.fromEffectDrain(Effect.andThen(Effect.sync(() => connection.close()), Effect.never))
    )
  }
  if (bytesPerSecond !== undefined && body !== undefined) {
    if (body instanceof Uint8Array) headers = withLength(headers, body)
    body = throttled(
      body instanceof Uint8Array ? Stream.make(body) : body as Stream.Stream<Uint8Array, TransportError>,
      bytesPerSecond
    )
  }
  const sent: MemoryNetwork.Reply = { ...rest, headers, body }
  const late = delay === undefined ? Effect.succeed(sent) : Effect.delay(Effect.succeed(sent), delay)
  return jitter === undefined ? late : Effect.andThen(
    // TestClock takes whole milliseconds.
    Effect.flatMap(Random.next, (chance) => Effect.sleep(Math.round(chance * Duration.toMillis(jitter)))),
    late
  )
}
