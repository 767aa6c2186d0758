/**
 * Content codings (RFC 9110 §8.4): a body that arrives compressed is read as what it is. The codecs are a runtime's;
 * `@sluice/node` has those of Node, and its `HttpClientLayer` uses them unless `decompress` is false.
 *
 * @since 0.1.0
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type { ResponseError } from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { decodingClient, wantsDecoding } from "./internal/client/Decoding.js"
import { HttpResponse } from "./internal/client/HttpResponse.js"
import { halvesOf } from "./internal/clientHalves.js"
import { DerivedResponse, originalOf } from "./internal/DerivedResponse.js"
import { PrintableError } from "./internal/printable.js"
import { withHeaders } from "./internal/withHeaders.js"

/**
 * A body cannot be decoded. It is the cause of the `ResponseError` with which reading it fails.
 *
 * @since 0.1.0
 * @category errors
 */
export class ContentCodingError extends PrintableError("ContentCodingError")<{
  /**
   * - `Truncated`: the coded data ends too early.
   * - `Corrupt`: it is not what the coding asks for.
   * - `Unknown`: nothing here decodes it.
   * - `TooMany`: more than five codings in a row.
   * - `TooLarge`: what comes of it is larger than `maxSize`, or out of proportion to what arrived (`maxRatio`).
   */
  readonly reason: "Truncated" | "Corrupt" | "Unknown" | "TooMany" | "TooLarge"
  readonly coding: string
  readonly detail: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `The body cannot be decoded: ${this.detail}`
  }
}

/**
 * What decodes one coding.
 *
 * @since 0.1.0
 * @category models
 */
export interface Codec {
  /** The names that stand for it in `Content-Encoding`, the first of them in `Accept-Encoding`. */
  readonly names: readonly [string, ...Array<string>]
  /** Decodes a whole body in one step, and stops when more than `maxSize` bytes come of it. */
  readonly decodeSync: (bytes: Uint8Array, maxSize: number) => Either.Either<Uint8Array, ContentCodingError>
  /** Decodes a body as it arrives, with no more than a few chunks ahead of its reader. */
  readonly decode: <E>(stream: Stream.Stream<Uint8Array, E>) => Stream.Stream<Uint8Array, E | ContentCodingError>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The largest body after decoding, in bytes. Default `Infinity`. */
  readonly maxSize?: number | undefined
  /**
   * How many bytes may come of one that arrived, once more than 16 MiB have come: what lies above it is made to exhaust
   * memory. Default 250; JSON and logs stay below 100.
   */
  readonly maxRatio?: number | undefined
}

/** A body of this many coded bytes is decoded in one step, on the thread that reads it. */
const oneStep = 64 * 1024

/** Ratios are judged from here on: a small body may well consist of one character. */
const freeSize = 16 * 1024 * 1024

const maxCodings = 5

/**
 * Asks for the codings of these codecs and decodes what comes in them. The response's headers then describe what is read:
 * `content-encoding` and `content-length` are gone, and `raw` has the response as it came.
 *
 * Left alone are requests with an `Accept-Encoding` of their own or a `Range`, and responses to HEAD, with status 204, 206
 * or 304, or without a coding. Reading a body that cannot be decoded fails with a `ResponseError` whose cause is
 * `ContentCodingError`. The connection is free at the last coded byte, and a slow reader holds the server back as ever.
 *
 * @since 0.1.0
 * @category combinators
 */
export const decode = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  codecs: ReadonlyArray<Codec>,
  options: Options = {}
): HttpClient.HttpClient.With<E, R> => {
  const acceptable = codecs.map(({ names }) => names[0]).join(", ")
  const byName = new Map(codecs.flatMap((codec) => codec.names.map((name) => [name, codec] as const)))
  const limits: Limits = { maxSize: options.maxSize ?? Infinity, maxRatio: options.maxRatio ?? 250 }
  const decode = (response: HttpClientResponse) => decoded(response, byName, limits)
  const itself = decodingClient(client, { accept: acceptable, decode })
  if (itself !== undefined) return itself
  const { postprocess, preprocess } = halvesOf(client)
  const asking = (request: HttpClientRequest) =>
    withHeaders(request, Headers.set(request.headers, "accept-encoding", acceptable))
  return HttpClient.makeWith<E, R, E, R>(
    (request) =>
      // A request that nothing has been done to is there already.
      isAtHand(request)
        ? wantsDecoding(request.value)
          ? Effect.map(postprocess(Exit.succeed(asking(request.value))), decode)
          : postprocess(request)
        : Effect.suspend(() => {
          let ours = false
          const asked = Effect.map(request, (request) => {
            ours = wantsDecoding(request)
            return ours ? asking(request) : request
          })
          return Effect.map(postprocess(asked), (response) => ours ? decode(response) : response)
        }),
    preprocess
  )
}

const isAtHand = <E, R>(
  request: Effect.Effect<HttpClientRequest, E, R>
): request is Exit.Success<HttpClientRequest, E> => Exit.isExit(request) && Exit.isSuccess(request)

/**
 * The response as it came, with its coding and length, and its body undecoded. Only one of the two bodies can be read.
 *
 * @since 0.1.0
 * @category accessors
 */
export const raw: (response: HttpClientResponse) => HttpClientResponse = originalOf

interface Limits {
  readonly maxSize: number
  readonly maxRatio: number
}

const decoded = (
  response: HttpClientResponse,
  codecs: ReadonlyMap<string, Codec>,
  limits: Limits
): HttpClientResponse => {
  const field = response instanceof HttpResponse
    ? response.contentEncoding
    : response.headers["content-encoding"]
  if (field === undefined || hasNoContent(response.request, response.status)) return response
  const codings = field.toLowerCase().split(",").map((name) => name.trim()).filter((name) =>
    name !== "" && name !== "identity"
  )
  if (codings.length === 0) return response
  const chain = resolve(codings, codecs)
  return new DerivedResponse(
    response,
    Headers.remove(response.headers, ["content-encoding", "content-length"]),
    (derived) => ({
      bytes: Effect.flatMap(response.arrayBuffer, (buffer) => whole(new Uint8Array(buffer), chain, limits)).pipe(
        Effect.mapError((error) => error instanceof ContentCodingError ? derived.error(error) : error)
      ),
      stream: asItComes(response.stream, chain, limits).pipe(
        Stream.mapError((error) => error instanceof ContentCodingError ? derived.error(error) : error)
      )
    })
  )
}

/** 206 is a piece of a coded body, which alone is nothing to decode. */
const hasNoContent = (request: HttpClientRequest, status: number): boolean =>
  request.method === "HEAD" || status === 204 || status === 206 || status === 304

type Chain = Either.Either<ReadonlyArray<Codec>, ContentCodingError>

/** The codecs in the order in which they are undone: the last that was applied comes first (RFC 9110 §8.4). */
const resolve = (codings: ReadonlyArray<string>, codecs: ReadonlyMap<string, Codec>): Chain => {
  if (codings.length > maxCodings) {
    const detail = `${codings.length} codings in a row, and no more than ${maxCodings} are undone`
    return Either.left(new ContentCodingError({ reason: "TooMany", coding: codings.join(", "), detail }))
  }
  const chain: Array<Codec> = []
  for (const coding of codings) {
    const codec = codecs.get(coding)
    if (codec === undefined) {
      const known = [...codecs.keys()].join(", ")
      // The name is the server's: only what a name may consist of is shown.
      const name = coding.replace(/[^\w.-]/g, "?").slice(0, 40)
      const detail = `its coding is ${name}; known here are ${known}`
      return Either.left(new ContentCodingError({ reason: "Unknown", coding: name, detail }))
    }
    chain.unshift(codec)
  }
  return Either.right(chain)
}

const whole = (
  bytes: Uint8Array,
  chain: Chain,
  limits: Limits
): Effect.Effect<Uint8Array, ContentCodingError | ResponseError> => {
  // Some servers name a coding for a body that is not there.
  if (bytes.length === 0) return Effect.succeed(bytes)
  if (bytes.length > oneStep) {
    return Effect.map(Stream.runCollect(asItComes(slices(bytes), chain, limits)), join)
  }
  const most = Math.min(limits.maxSize, Math.max(freeSize, limits.maxRatio * bytes.length))
  return Either.flatMap(chain, (codecs) =>
    codecs.reduce<Either.Either<Uint8Array, ContentCodingError>>(
      (coded, codec) =>
        Either.flatMap(coded, (coded) =>
          coded.length === 0 ?
            Either.right(coded) :
            Either.flatMap(codec.decodeSync(coded, most), (decoded) =>
              decoded.length > most ? Either.left(tooLarge(codec, limits)) : Either.right(decoded))),
      Either.right(bytes)
    ))
}

const asItComes = <E>(
  stream: Stream.Stream<Uint8Array, E>,
  chain: Chain,
  limits: Limits
): Stream.Stream<Uint8Array, E | ContentCodingError> =>
  Stream.suspend(() => {
    if (Either.isLeft(chain)) return Stream.fail(chain.left)
    let arrived = 0
    const counted: Stream.Stream<Uint8Array, E | ContentCodingError> = Stream.map(stream, (bytes) => {
      arrived += bytes.length
      return bytes
    })
    return chain.right.reduce((coded, codec) => {
      let size = 0
      return Stream.mapEffect(codec.decode(coded), (bytes) => {
        size += bytes.length
        return size > limits.maxSize || (size > freeSize && size > limits.maxRatio * arrived)
          ? Effect.fail(tooLarge(codec, limits))
          : Effect.succeed(bytes)
      })
    }, counted)
  })

const tooLarge = ({ names }: Codec, { maxRatio, maxSize }: Limits): ContentCodingError =>
  new ContentCodingError({
    reason: "TooLarge",
    coding: names[0],
    detail:
      `more than ${maxSize} bytes (maxSize), or more than ${maxRatio} for each that arrived (maxRatio), come of it`
  })

/** So that no more than one of them is decoded ahead of the limits. */
const slices = (bytes: Uint8Array): Stream.Stream<Uint8Array> =>
  Stream.unfold(0, (start) =>
    start < bytes.length
      ? Option.some([bytes.subarray(start, start + oneStep), start + oneStep] as const)
      : Option.none())

const join = (chunks: Chunk.Chunk<Uint8Array>): Uint8Array => {
  let size = 0
  for (const chunk of chunks) size += chunk.length
  const joined = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    joined.set(chunk, offset)
    offset += chunk.length
  }
  return joined
}
