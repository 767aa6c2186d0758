import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as Stream from "effect/Stream"
import type { ExchangeBody } from "../../Connection.js"
import { isTransportError, LocalProtocolError } from "../../TransportError.js"
import { sourceOf } from "../derivedBody.js"
import { PrintableError } from "../printable.js"
import * as multipart from "./multipart.js"
import { isReopenable } from "./ReopenableBody.js"

/**
 * A request's body as it is sent: in one piece with the head, or in chunks that come from a stream.
 */
export interface RequestBody {
  readonly exchange: ExchangeBody
  /** Where the chunks come from. */
  readonly chunks: Stream.Stream<Uint8Array, unknown> | undefined
  readonly contentType: string | undefined
  /** Whether it can be sent again. A stream may come from a source that can be read once. */
  readonly replayable: boolean
  /** What comes after the chunks. */
  readonly trailers?: Trailers | undefined
}

/** Asked for when the body has been sent. */
export type Trailers = Effect.Effect<Readonly<Record<string, string>>, unknown>

/**
 * A body of the platform with trailers. They are part of the body and not of the request, so that whatever is done to the
 * request afterwards keeps them, and a request that loses its body on the way, as in a redirect, loses them too. To
 * other clients it is a stream.
 */
export class BodyWithTrailers extends HttpBody.Stream {
  constructor(readonly body: HttpBody.HttpBody, readonly trailers: Trailers) {
    // No content type: the one that the request has remains.
    super(Stream.suspend(() => streamOf(body)), "", undefined)
  }

  override toJSON(): unknown {
    return this.body.toJSON()
  }
}

const streamOf = (body: HttpBody.HttpBody): Stream.Stream<Uint8Array, unknown> => {
  const made = make(body)
  return isTransportError(made) ? Stream.fail(made) : chunksOf(made)
}

/** The same body in chunks, though it may be there in one piece. */
export const chunksOf = ({ chunks, exchange }: RequestBody): Stream.Stream<Uint8Array, unknown> =>
  chunks ?? (exchange._tag === "Bytes" ? Stream.succeed(exchange.bytes) : Stream.empty)

const none: RequestBody = {
  exchange: { _tag: "None" },
  chunks: undefined,
  contentType: undefined,
  replayable: true
}

/** What was given to the platform as it is, which may be something open. */
export const rawOf = (body: HttpBody.HttpBody): unknown => {
  switch (body._tag) {
    case "Raw":
      return body.body
    case "Stream": {
      const source = body instanceof BodyWithTrailers ? body.body : sourceOf(body)
      return source === body ? undefined : rawOf(source)
    }
    default:
      return undefined
  }
}

/**
 * The body as bytes, streams and lengths; `LocalProtocolError` for one that cannot be sent. `contentType` is what the
 * request's header says.
 */
export const make = (body: HttpBody.HttpBody, contentType?: string): RequestBody | LocalProtocolError => {
  switch (body._tag) {
    case "Empty":
      return none
    case "Uint8Array":
      return ofBytes(body.body, body.contentType)
    case "FormData":
      return ofForm(body.formData, contentType)
    case "Stream":
      return body instanceof BodyWithTrailers
        ? withTrailers(body, contentType)
        : ofStream(body.stream, body.contentLength, body.contentType, isReopenable(body))
    case "Raw":
      return raw(body.body, body.contentType, body.contentLength, contentType)
  }
}

/** Only what has no length has trailers: HTTP/1.1 sends them after chunks (RFC 9112 §7.1.2). */
const withTrailers = (
  { body, trailers }: BodyWithTrailers,
  contentType: string | undefined
): RequestBody | LocalProtocolError => {
  const made = make(body, contentType)
  return isTransportError(made)
    ? made
    : { ...made, exchange: { _tag: "Chunks", length: undefined, trailers: true }, chunks: chunksOf(made), trailers }
}

const ofBytes = (bytes: Uint8Array, contentType: string | undefined): RequestBody => ({
  exchange: { _tag: "Bytes", bytes },
  chunks: undefined,
  contentType,
  replayable: true
})

const ofForm = (form: FormData, contentType: string | undefined): RequestBody | LocalProtocolError => {
  const encoded = multipart.encode(form, contentType)
  return encoded === undefined
    ? new LocalProtocolError({
      origin: "",
      reason: "InvalidHeader",
      detail:
        "its content-type is multipart/form-data without a boundary; leave the header out, for the client adds it " +
        "with the boundary that it uses",
      section: "RFC 2046 §5.1.1"
    })
    : ofStream(encoded.stream, encoded.contentLength, encoded.contentType, true)
}

const ofStream = (
  chunks: Stream.Stream<Uint8Array, unknown>,
  length: number | undefined,
  contentType: string | undefined,
  replayable: boolean
): RequestBody => ({ exchange: { _tag: "Chunks", length }, chunks, contentType, replayable })

const raw = (
  value: unknown,
  contentType: string | undefined,
  length: number | undefined,
  header: string | undefined
): RequestBody | LocalProtocolError => {
  if (value === undefined || value === null) return none
  if (typeof value === "string") return ofBytes(new TextEncoder().encode(value), contentType)
  if (value instanceof Uint8Array) return ofBytes(value, contentType)
  if (value instanceof ArrayBuffer) return ofBytes(new Uint8Array(value), contentType)
  if (ArrayBuffer.isView(value)) {
    return ofBytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), contentType)
  }
  if (value instanceof URLSearchParams) {
    const type = contentType ?? "application/x-www-form-urlencoded;charset=UTF-8"
    return ofBytes(new TextEncoder().encode(value.toString()), type)
  }
  if (value instanceof Blob) {
    const type = contentType ?? (value.type === "" ? undefined : value.type)
    return ofStream(multipart.streamBlob(value), value.size, type, true)
  }
  if (value instanceof FormData) return ofForm(value, header ?? contentType)
  if (typeof value === "object" && Symbol.asyncIterator in value) {
    // Streams of Node and of the web alike.
    const chunks = Stream.fromAsyncIterable(value as AsyncIterable<unknown>, (cause) => cause)
    return ofStream(Stream.mapEffect(chunks, bytesOf), length, contentType, false)
  }
  return new LocalProtocolError({
    origin: "",
    reason: "InvalidBody",
    detail: `a raw body of type ${typeOf(value)} cannot be sent; ` +
      "give text, bytes, URLSearchParams, Blob, FormData, or something async iterable"
  })
}

const typeOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1)

/** A chunk of a body is neither bytes nor text. */
class UnsendableChunk extends PrintableError("UnsendableChunk")<{ readonly message: string }> {}

const bytesOf = (chunk: unknown): Effect.Effect<Uint8Array, UnsendableChunk> => {
  if (chunk instanceof Uint8Array) return Effect.succeed(chunk)
  if (typeof chunk === "string") return Effect.succeed(new TextEncoder().encode(chunk))
  if (chunk instanceof ArrayBuffer) return Effect.succeed(new Uint8Array(chunk))
  return ArrayBuffer.isView(chunk)
    ? Effect.succeed(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    : new UnsendableChunk({ message: `a chunk of type ${typeOf(chunk)} cannot be sent; give bytes or text` })
}
