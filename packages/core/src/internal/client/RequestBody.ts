import * as HttpBody from "@effect/platform/HttpBody"
import type * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Stream from "effect/Stream"
import type { ExchangeBody } from "../../Connection.js"
import { isTransportError, LocalProtocolError } from "../../TransportError.js"
import * as multipart from "./multipart.js"

/**
 * A request's body as it is sent: in one piece with the head, or in parts that come from a stream.
 */
export interface RequestBody {
  readonly exchange: ExchangeBody
  /** Where the parts come from. */
  readonly parts: Stream.Stream<Uint8Array, unknown> | undefined
  readonly contentType: string | undefined
  /** Whether it can be sent again. A stream may come from a source that can be read once. */
  readonly replayable: boolean
  /** What comes after the parts. */
  readonly trailers?: Trailers | undefined
}

/** Asked for when the body has been sent. */
export type Trailers = Effect.Effect<Readonly<Record<string, string>>, unknown>

/**
 * A body of the platform with trailers. They are part of the body and not of the request, so that whatever is done to the
 * request afterwards keeps them, and a request that loses its body on the way, as in a redirect, loses them too. To
 * other clients it is a stream.
 */
export class BodyWithTrailers extends Inspectable.Class implements HttpBody.Stream {
  readonly [HttpBody.TypeId]: HttpBody.TypeId = HttpBody.TypeId
  readonly _tag = "Stream"
  /** None: the one that the request has remains. */
  readonly contentType = ""

  constructor(readonly body: HttpBody.HttpBody, readonly trailers: Trailers) {
    super()
  }

  get stream(): Stream.Stream<Uint8Array, unknown> {
    const made = make(this.body)
    return isTransportError(made) ? Stream.fail(made) : partsOf(made)
  }

  toJSON(): unknown {
    return this.body.toJSON()
  }
}

/** The same body in parts, though it may be there in one piece. */
export const partsOf = ({ exchange, parts }: RequestBody): Stream.Stream<Uint8Array, unknown> =>
  parts ?? (exchange._tag === "Bytes" ? Stream.succeed(exchange.bytes) : Stream.empty)

const none: RequestBody = {
  exchange: { _tag: "None" },
  parts: undefined,
  contentType: undefined,
  replayable: true
}

/** The body as bytes, streams and lengths; `LocalProtocolError` for a raw body of a kind that cannot be sent. */
export const make = (body: HttpBody.HttpBody): RequestBody | LocalProtocolError => {
  switch (body._tag) {
    case "Empty":
      return none
    case "Uint8Array":
      return (ofBytes(body.body, body.contentType))
    case "FormData": {
      const encoded = multipart.encode(body.formData)
      return (ofStream(encoded.stream, encoded.contentLength, encoded.contentType, true))
    }
    case "Stream":
      return body instanceof BodyWithTrailers
        ? withTrailers(body)
        : (ofStream(body.stream, body.contentLength, body.contentType, false))
    case "Raw":
      return raw(body.body, body.contentType, body.contentLength)
  }
}

/** Only what has no length has trailers: HTTP/1.1 sends them after chunks (RFC 9112 §7.1.2). */
const withTrailers = ({ body, trailers }: BodyWithTrailers): RequestBody | LocalProtocolError => {
  const made = make(body)
  return isTransportError(made)
    ? made
    : { ...made, exchange: { _tag: "Chunks", length: undefined, trailers: true }, parts: partsOf(made), trailers }
}

const ofBytes = (bytes: Uint8Array, contentType: string | undefined): RequestBody => ({
  exchange: { _tag: "Bytes", bytes },
  parts: undefined,
  contentType,
  replayable: true
})

const ofStream = (
  parts: Stream.Stream<Uint8Array, unknown>,
  length: number | undefined,
  contentType: string | undefined,
  replayable: boolean
): RequestBody => ({ exchange: { _tag: "Chunks", length }, parts, contentType, replayable })

const raw = (
  value: unknown,
  contentType: string | undefined,
  length: number | undefined
): RequestBody | LocalProtocolError => {
  if (value === undefined || value === null) return none
  if (typeof value === "string") return (ofBytes(new TextEncoder().encode(value), contentType))
  if (value instanceof Uint8Array) return (ofBytes(value, contentType))
  if (value instanceof ArrayBuffer) return (ofBytes(new Uint8Array(value), contentType))
  if (ArrayBuffer.isView(value)) {
    return (ofBytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), contentType))
  }
  if (value instanceof URLSearchParams) {
    const type = contentType ?? "application/x-www-form-urlencoded;charset=UTF-8"
    return (ofBytes(new TextEncoder().encode(value.toString()), type))
  }
  if (value instanceof Blob) {
    const type = contentType ?? (value.type === "" ? undefined : value.type)
    return (ofStream(multipart.streamBlob(value), value.size, type, true))
  }
  if (value instanceof FormData) {
    const encoded = multipart.encode(value)
    return (ofStream(encoded.stream, encoded.contentLength, encoded.contentType, true))
  }
  if (typeof value === "object" && Symbol.asyncIterator in value) {
    // Streams of Node and of the web alike.
    const parts = Stream.fromAsyncIterable(value as AsyncIterable<Uint8Array | string>, (cause) => cause)
    const bytes = Stream.map(parts, (part) => typeof part === "string" ? new TextEncoder().encode(part) : part)
    return (ofStream(bytes, length, contentType, false))
  }
  return (
    new LocalProtocolError({
      origin: "",
      reason: "InvalidBody",
      detail: `a raw body of type ${Object.prototype.toString.call(value).slice(8, -1)} cannot be sent; ` +
        "give text, bytes, URLSearchParams, Blob, FormData, or something async iterable"
    })
  )
}
