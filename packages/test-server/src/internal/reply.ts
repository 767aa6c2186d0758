import * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { Gate } from "../Gate.js"

/**
 * Header fields, written in the order and with the letters given. An array gives one name several times.
 *
 * @since 0.1.0
 * @category models
 */
export type Headers =
  | Readonly<Record<string, string | ReadonlyArray<string>>>
  | ReadonlyArray<readonly [string, string]>

/**
 * One piece of a body: bytes, text (as UTF-8), or a gate that holds what follows.
 *
 * @since 0.1.0
 * @category models
 */
export type Chunk = string | Uint8Array | Gate

/**
 * How a connection is broken off. `"end"` closes it in order (FIN), `"reset"` cuts it (RST). On HTTP/2 only the stream
 * ends, by RST_STREAM: `"end"` with NO_ERROR, `"reset"` with INTERNAL_ERROR, a number with that error code.
 * On HTTP/1.1 a number is as `"reset"`. A client can mistake a reset for an end in order if it arrives together with
 * bytes that were sent before; a gate between the two rules that out.
 *
 * @since 0.1.0
 * @category models
 */
export type Breaking = "end" | "reset" | number

/**
 * What a connection does after a response, when nobody has asked for anything: hold, wait, write, close, in this order.
 *
 * The bytes go out in a segment of their own, once the response has left. They go out whatever the connection is doing
 * by then: the next request may already be under way, which is what they are for. HTTP/1.1 only; for HTTP/2, where each
 * frame says what it belongs to, there is `FramePeer`.
 *
 * @example
 * ```ts
 * import { Reply, TestServer } from "@sluice/test-server"
 *
 * // A second response, in a segment of its own, a millisecond after a response that has no body.
 * const late = Reply.empty({ status: 204, late: { delay: "1 millis", bytes: "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison" } })
 *
 * // What a server does that has had enough of an idle connection.
 * const timedOut = Reply.text("fine", { late: { delay: "3 millis", bytes: "HTTP/1.1 408 Request Timeout\r\n\r\n", close: "end" } })
 *
 * // A bare FIN after each response.
 * const server = TestServer.make({ replies: { "*": Reply.text("fine", { late: { delay: "2 millis", close: "end" } }) } })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Late {
  /** Holds the action until the gate lets it through. Default none. */
  readonly hold?: Gate | undefined

  /** Real time since the response left, or since the action before. Default none. */
  readonly delay?: Duration.DurationInput | undefined

  /** Default none. */
  readonly bytes?: string | Uint8Array | undefined

  /** Closes the connection once the bytes are out. Default: it stays open. */
  readonly close?: Breaking | undefined
}

/**
 * Everything about a reply except its body. All of it is optional.
 *
 * Delays are real time, also under TestClock, for they belong to the world outside of the program under test. A test
 * that wants to decide the order of things should hold the reply at a {@link Gate} instead.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Default 200. */
  readonly status?: number | undefined

  /** The reason phrase of HTTP/1.1. Default: the usual one for the status. */
  readonly reason?: string | undefined

  /**
   * Default: `content-type` for text and JSON, and what frames the body; nothing else, not even `date`. A
   * `content-length` or `transfer-encoding` given here is written instead of the server's own, true or not. On HTTP/2
   * fields that belong to an HTTP/1.1 connection are left out.
   */
  readonly headers?: Headers | undefined

  /** Fields after the body. They make an HTTP/1.1 body chunked. */
  readonly trailers?: Headers | undefined

  /** Informational responses (100 to 199) that go out at once, before any delay. */
  readonly informational?:
    | ReadonlyArray<{ readonly status: number; readonly headers?: Headers | undefined }>
    | undefined

  /** Real time between the request and the head. Default none. */
  readonly delayBeforeHead?: Duration.DurationInput | undefined

  /** Real time between two pieces of the body, and between head and body. Default none. */
  readonly delayBetweenChunks?: Duration.DurationInput | undefined

  /** Holds the head until the gate lets it through. Default none. A gate within the body is a {@link Chunk}. */
  readonly hold?: Gate | undefined

  /**
   * How an HTTP/1.1 body is framed: by its length, in chunks, or by closing the connection. Default: by length where
   * that is known, else in chunks (by closing for a client that speaks HTTP/1.0). On HTTP/2 only `"length"` says
   * anything: `content-length` is sent.
   */
  readonly framing?: "length" | "chunked" | "close" | undefined

  /** Writes `Keep-Alive: timeout=, max=`, in seconds and requests. The server does not act upon it. Default none. */
  readonly keepAliveHint?: { readonly timeout?: number | undefined; readonly max?: number | undefined } | undefined

  /** `"close"` says so in the head and closes the connection after the reply (on HTTP/2: GOAWAY). */
  readonly connection?: "close" | undefined

  /** Closes the connection after the reply without having said so. Default false. */
  readonly close?: boolean | undefined

  /**
   * Breaks the reply off when that many bytes of the body are out (fewer, if it has fewer), by `how`, default
   * `"end"`. The end of the body is never written.
   */
  readonly abrupt?: { readonly afterBytes: number; readonly how?: Breaking | undefined } | undefined

  /** No more bytes of the body than so many a second, in small pieces and without a pause. Default: no limit. */
  readonly bytesPerSecond?: number | undefined

  /**
   * What the connection does after the response, unasked. Default nothing. It is not done after a response that was
   * broken off. On HTTP/2 it is an error of the script.
   */
  readonly late?: Late | ReadonlyArray<Late> | undefined

  /**
   * On HTTP/2, when an early response is complete while the upload goes on: asks the client to stop it, by RST_STREAM with
   * NO_ERROR. Default false: the rest is read. On HTTP/1.1 only closing the connection says so.
   */
  readonly stopUpload?: boolean | undefined

  /** The version in an HTTP/1 status line. Default `"1.1"`; `"1.0"` closes after the reply unless the options say otherwise. */
  readonly version?: "1.0" | "1.1" | undefined
}

/**
 * The body of an {@link Response}.
 *
 * @since 0.1.0
 * @category models
 */
export type Body =
  | { readonly _tag: "Empty" }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array; readonly contentType: string | undefined }
  | { readonly _tag: "Chunks"; readonly pieces: Iterable<Chunk> }
  | { readonly _tag: "Generated"; readonly size: number }
  | { readonly _tag: "Echo" }

/**
 * A proper response.
 *
 * @since 0.1.0
 * @category models
 */
export interface Response {
  readonly _tag: "Response"
  readonly body: Body
  readonly options: Options
}

/**
 * What a script responds with.
 *
 * @since 0.1.0
 * @category models
 */
export type Reply =
  | Response
  | { readonly _tag: "Raw"; readonly pieces: Iterable<Chunk>; readonly options: RawOptions }
  | { readonly _tag: "Never" }
  | { readonly _tag: "Disconnect"; readonly how: Breaking }
  | { readonly _tag: "Tunnel"; readonly options: TunnelOptions }
  | { readonly _tag: "Forward"; readonly options: ForwardOptions }

/**
 * @since 0.1.0
 * @category models
 */
export interface RawOptions {
  /** Closes the connection after the bytes. Default false: the next request is read. */
  readonly close?: boolean | undefined

  /** Real time before each piece. Default none. */
  readonly delayBetweenChunks?: Duration.DurationInput | undefined

  /** Holds the first byte until the gate lets it through. Default none. */
  readonly hold?: Gate | undefined

  /** What the connection does after the bytes, unasked. Default nothing. */
  readonly late?: Late | ReadonlyArray<Late> | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface TunnelOptions {
  /** Default 200, as for CONNECT; 101 with the right headers for an upgrade. */
  readonly status?: number | undefined

  /** Default none. */
  readonly headers?: Headers | undefined

  /** Bytes written together with the head, so that they reach the client in one piece with it. Default none. */
  readonly first?: string | Uint8Array | undefined

  /**
   * Where the tunnel leads. It is connected to before the response goes out; if that fails, the response is 502. Default:
   * the tunnel echoes what it gets.
   */
  readonly to?: { readonly host: string; readonly port: number } | undefined

  /** The reason phrase of HTTP/1.1. Default: the usual one for the status. */
  readonly reason?: string | undefined

  /** Holds the response until the gate lets it through. Default none. */
  readonly hold?: Gate | undefined

  /** Real time before the response. Default none. */
  readonly delayBeforeHead?: Duration.DurationInput | undefined

  /** HTTP/1.1 only: bytes written in front of the response, in one piece with it. Default none. */
  readonly before?: string | Uint8Array | undefined

  /** HTTP/1.1 only: writes the response byte by byte, with that much real time between two of them. Default: at once. */
  readonly drip?: Duration.DurationInput | undefined

  /**
   * What comes instead of a working tunnel once the response has left: the end of the connection, a reset, or nothing at
   * all, for ever. Default: bytes are carried.
   */
  readonly then?: "end" | "reset" | "silence" | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ForwardOptions {
  /** Where the request is sent on to. Default: where its target says, if that is absolute, else its `Host`. */
  readonly to?: { readonly host: string; readonly port: number } | undefined
}

const encoder = new TextEncoder()

const knownOptions: { readonly [Name in keyof Required<Options>]: true } = {
  status: true,
  reason: true,
  headers: true,
  trailers: true,
  informational: true,
  delayBeforeHead: true,
  delayBetweenChunks: true,
  hold: true,
  framing: true,
  keepAliveHint: true,
  connection: true,
  close: true,
  abrupt: true,
  bytesPerSecond: true,
  late: true,
  stopUpload: true,
  version: true
}

const knownOfRaw: { readonly [Name in keyof Required<RawOptions>]: true } = {
  close: true,
  delayBetweenChunks: true,
  hold: true,
  late: true
}

const knownOfTunnel: { readonly [Name in keyof Required<TunnelOptions>]: true } = {
  status: true,
  headers: true,
  first: true,
  to: true,
  reason: true,
  hold: true,
  delayBeforeHead: true,
  before: true,
  drip: true,
  then: true
}

const isTime = (value: unknown): boolean => Option.isSome(Duration.decodeUnknown(value))
const aTime = "a time, as \"20 millis\" or 20 (milliseconds)"

const isStatus = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 100 && Number(value) <= 999

/** A line break would begin another field, and what is no octet cannot be sent: for both there is `raw`. */
const areFields = (headers: unknown): boolean =>
  typeof headers === "object" && headers !== null &&
  (Array.isArray(headers) ? headers.map((pair) => (pair as Array<unknown>)[1]) : Object.values(headers).flat())
    .every((value) => typeof value === "string" && !/[\r\n\0]|[^\0-\xff]/.test(value))
const fields = "text of one line, of Latin-1 (ISO 8859-1), for each name"

/** What an option may be, by its name. */
const values: Readonly<Record<string, readonly [isRight: (value: unknown) => boolean, expected: string]>> = {
  status: [isStatus, "a whole number from 100 to 999"],
  headers: [areFields, fields],
  trailers: [areFields, fields],
  delayBeforeHead: [isTime, aTime],
  delayBetweenChunks: [isTime, aTime],
  drip: [isTime, aTime],
  bytesPerSecond: [(value) => Number(value) > 0, "a number of bytes above 0"],
  framing: [
    (value) => ["length", "chunked", "close"].includes(value as string),
    "\"length\", \"chunked\" or \"close\""
  ],
  abrupt: [(value) => Number((value as Options["abrupt"])?.afterBytes) >= 0, "{ afterBytes: a number of bytes }"]
}

/** An option that is misspelled would have no effect, and the test would go on without what it is about. */
const checked = <O extends object>(options: O, known: { readonly [name: string]: true }): O => {
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name)) {
      throw new TypeError(`${name} is no option of a reply; there are ${Object.keys(known).join(", ")}`)
    }
    const [isRight, expected] = values[name] ?? []
    if (value !== undefined && isRight?.(value) === false) {
      throw new TypeError(`${name} of a reply is ${Inspectable.toStringUnknown(value, 0)}: expected ${expected}`)
    }
  }
  return options
}

const response = (body: Body, options: Options = {}): Reply => ({
  _tag: "Response",
  body,
  options: checked(options, knownOptions)
})

export const empty = (options?: Options): Reply => response({ _tag: "Empty" }, options)

export const text = (body: string, options?: Options): Reply =>
  response({ _tag: "Bytes", bytes: encoder.encode(body), contentType: "text/plain; charset=utf-8" }, options)

export const json = (body: unknown, options?: Options): Reply => {
  const text = JSON.stringify(body) as string | undefined
  if (text === undefined) throw new TypeError(`${String(body)} is nothing that JSON has`)
  return response({ _tag: "Bytes", bytes: encoder.encode(text), contentType: "application/json" }, options)
}

export const bytes = (body: Uint8Array, options?: Options): Reply =>
  response({ _tag: "Bytes", bytes: body, contentType: undefined }, options)

export const chunks = (pieces: Iterable<Chunk>, options?: Options): Reply =>
  response({ _tag: "Chunks", pieces }, options)

export const size = (length: number, options?: Options): Reply => {
  if (!(Number.isSafeInteger(length) && length >= 0)) throw new TypeError(`${length} is no size of a body, in bytes`)
  return response({ _tag: "Generated", size: length }, options)
}

export const echo = (options?: Options): Reply => response({ _tag: "Echo" }, options)

export const raw = (pieces: string | Uint8Array | Iterable<Chunk>, options: RawOptions = {}): Reply => ({
  _tag: "Raw",
  pieces: typeof pieces === "string" || pieces instanceof Uint8Array ? [pieces] : pieces,
  options: checked(options, knownOfRaw)
})

export const never: Reply = { _tag: "Never" }

export const disconnect = (how: Breaking = "end"): Reply => ({ _tag: "Disconnect", how })

export const tunnel = (options: TunnelOptions = {}): Reply => ({
  _tag: "Tunnel",
  options: checked(options, knownOfTunnel)
})

export const forward = (options: ForwardOptions = {}): Reply => ({
  _tag: "Forward",
  options: checked(options, { to: true })
})

const tags: { readonly [Tag in Reply["_tag"]]: true } = {
  Response: true,
  Raw: true,
  Never: true,
  Disconnect: true,
  Tunnel: true,
  Forward: true
}

// The types say so, but a script may be written in JavaScript, or a handler end without a return.
export const isReply = (value: unknown): value is Reply =>
  Predicate.hasProperty(value, "_tag") && Object.hasOwn(tags, String(value._tag))

export const set: {
  (options: Options): (self: Reply) => Reply
  (self: Reply, options: Options): Reply
} = dual(
  2,
  (self: Reply, options: Options): Reply =>
    self._tag === "Response" ? response(self.body, { ...self.options, ...options }) : self
)

/** Text of a piece of a body is UTF-8. */
export const toBytes = (piece: string | Uint8Array): Uint8Array =>
  typeof piece === "string" ? encoder.encode(piece) : piece

export const headerList = (headers: Headers | undefined): Array<readonly [string, string]> => {
  if (headers === undefined) return []
  if (isPairs(headers)) return [...headers]
  return Object.entries(headers).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as const] : value.map((one) => [name, one] as const)
  )
}

const isPairs = (headers: Headers): headers is ReadonlyArray<readonly [string, string]> => Array.isArray(headers)

const period = 251
const block = Uint8Array.from({ length: period * 256 }, (_, n) => n % period)

/** The bytes of `Reply.size`, as views of one shared block. */
export function* generated(length: number): Generator<Uint8Array> {
  let left = length
  while (left >= block.length) {
    yield block
    left -= block.length
  }
  if (left > 0) yield block.subarray(0, left)
}
