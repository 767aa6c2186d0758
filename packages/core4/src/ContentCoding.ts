/**
 * Content codings (RFC 9110 §8.4): a body that arrives compressed is read as what it is. The codecs are a runtime's;
 * `@sluice/node4` has those of Node, and its `HttpClientLayer` uses them unless `decompress` is false.
 *
 * @since 0.1.0
 */
import {
  codecsFor,
  codingsOf,
  type DecodingLimits,
  isNothingToDecode,
  isTooMuch,
  isWorthEncoding,
  mayEncode,
  mostOf,
  oneStep,
  RefusingOrigins,
  tooMuch
} from "@sluice/engine/client"
import * as optionTable from "@sluice/engine/options"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import * as Headers from "effect/http/Headers"
import { type HttpBody, uint8Array } from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import { type HttpClientRequest, setBody, setHeader, toUrl } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { decodingClient, wantsDecoding } from "./internal/client/Decoding.js"
import { discard } from "./internal/client/discard.js"
import { HttpResponse } from "./internal/client/HttpResponse.js"
import { ReopenableBody } from "./internal/client/ReopenableBody.js"
import * as RequestBody from "./internal/client/RequestBody.js"
import { halvesOf } from "./internal/clientHalves.js"
import { derivedFrom } from "./internal/derivedBody.js"
import { DerivedResponse, originalOf } from "./internal/DerivedResponse.js"
import { PrintableError } from "./internal/printable.js"
import { slices } from "./internal/pulled.js"
import { isReplayable } from "./internal/replayableBody.js"
import { inheritScope } from "./internal/scopedRequests.js"
import { withHeaders } from "./internal/withHeaders.js"
import { argument, check } from "./InvalidOptions.js"

/**
 * A body cannot be decoded. It is the cause of the `HttpClientError` with which reading it fails.
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
  readonly decodeSync: (bytes: Uint8Array, maxSize: number) => Result.Result<Uint8Array, ContentCodingError>
  /**
   * Decodes a whole body away from the thread that reads it, and stops when `isTooMuch`: so many bytes have come of so many.
   */
  readonly decodeWhole: (
    bytes: Uint8Array,
    isTooMuch: (size: number, used: number) => boolean
  ) => Effect.Effect<Uint8Array, ContentCodingError>
  /** Decodes a body as it arrives, with no more than a few chunks ahead of its reader. */
  readonly decode: <E>(stream: Stream.Stream<Uint8Array, E>) => Stream.Stream<Uint8Array, E | ContentCodingError>
}

/**
 * What applies one coding.
 *
 * @since 0.1.0
 * @category models
 */
export interface Encoder {
  /** Its name in `Content-Encoding`. */
  readonly name: string
  readonly encodeSync: (bytes: Uint8Array) => Uint8Array
  /** Encodes a body as it comes, away from the thread that sends it. */
  readonly encode: <E>(stream: Stream.Stream<Uint8Array, E>) => Stream.Stream<Uint8Array, E>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface EncodeOptions {
  /** Bodies of fewer bytes are sent as they are. One whose size nobody knows is coded. Default 1024. */
  readonly minSize?: number | undefined
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

const isObject = (given: unknown): given is Readonly<Record<string, unknown>> =>
  typeof given === "object" && given !== null

const isCodec = (given: unknown): boolean =>
  isObject(given) && Array.isArray(given["names"]) && typeof given["decode"] === "function"

const areCodecs = (given: unknown): boolean => Array.isArray(given) && given.every(isCodec)

const isEncoder = (given: unknown): boolean =>
  isObject(given) && typeof given["name"] === "string" && typeof given["encode"] === "function"

/**
 * Asks for the codings of these codecs and decodes what comes in them. The response's headers then describe what is read:
 * `content-encoding` and `content-length` are gone, and `raw` has the response as it came.
 *
 * Left alone are requests with an `Accept-Encoding` of their own or a `Range`, and responses to HEAD, with status 204, 206
 * or 304, or without a coding. Reading a body that cannot be decoded fails with a `HttpClientError` whose cause is
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
  argument("ContentCoding.decode: codecs", codecs, areCodecs, "an array of codecs, as NodeCodecs.codecs")
  const acceptable = codecs.map(({ names }) => names[0]).join(", ")
  const byName = new Map(codecs.flatMap((codec) => codec.names.map((name) => [name, codec] as const)))
  const limits = Result.getOrThrowWith(check(optionTable.decompress, options, "ContentCoding"), identity)
  const decode = (response: HttpClientResponse) => decoded(response, byName, limits)
  const itself = decodingClient(client, { headers: Object.freeze({ "accept-encoding": acceptable }), decode })
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
 * Codes the bodies of requests. Left alone are those with a `Content-Encoding`, `Content-Range` or digest of their own,
 * those that are small, and types that are compressed already; and a body of bytes that does not become smaller.
 *
 * Not every server takes it. To a 415 (Unsupported Media Type) the request is sent once more as it was, if its body can be
 * sent again, and from then on to that origin none is coded (RFC 7694).
 *
 * Put it below `Redirects.follow`, `Retry.safely` and `Cookies.withJar`, and around `Credentials.withCredentials`: what is
 * signed is what is sent.
 *
 * @since 0.1.0
 * @category combinators
 */
export const encode = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  encoder: Encoder,
  options: EncodeOptions = {}
): HttpClient.HttpClient.With<E, R> => {
  const { minSize } = Result.getOrThrowWith(check(optionTable.requestCoding, options, "ContentCoding"), identity)
  argument("ContentCoding.encode: encoder", encoder, isEncoder, "an encoder, as one of NodeCodecs.encoders")
  const { postprocess, preprocess } = halvesOf(client)
  const refusing = new RefusingOrigins()
  return HttpClient.makeWith<E, R, E, R>(
    (request) =>
      Effect.suspend(() => {
        let plain: HttpClientRequest | undefined
        const coded = Effect.flatMap(request, (request) => {
          plain = undefined
          const coding = refusing.has(originOf(request)) ? undefined : encodeRequest(request, encoder, minSize)
          if (coding === undefined) return Effect.succeed(request)
          plain = request
          return coding
        })
        return Effect.flatMap(postprocess(coded), (response) => {
          if (response.status !== 415 || plain === undefined) return Effect.succeed(response)
          refusing.add(originOf(plain))
          return isReplayable(plain.body)
            ? Effect.andThen(discard(response), postprocess(Effect.succeed(plain)))
            : Effect.succeed(response)
        })
      }),
    preprocess
  )
}

const originOf = (request: HttpClientRequest): string =>
  Option.match(toUrl(request), { onNone: () => "", onSome: ({ origin }) => origin })

/** None: it is sent as it is. */
const encodeRequest = (
  request: HttpClientRequest,
  encoder: Encoder,
  minSize: number
): Effect.Effect<HttpClientRequest> | undefined => {
  const { body, headers } = request
  if (!mayEncode(headers)) return undefined
  const made = RequestBody.make(body, headers["content-type"])
  // What cannot be sent the transport says; trailers are for the body as it is.
  if (!("exchange" in made) || made.exchange._tag === "None" || made.trailers !== undefined) return undefined
  const { contentType, exchange, replayable } = made
  const size = exchange._tag === "Bytes" ? exchange.bytes.length : exchange.length
  const type = headers["content-type"] ?? contentType ?? ""
  if (!isWorthEncoding(size, type, minSize)) return undefined
  const coded = (coded: HttpBody): HttpClientRequest =>
    inheritScope(
      request,
      setHeader(
        setBody(withHeaders(request, Headers.remove(headers, "content-length")), derivedFrom(body, coded)),
        "content-encoding",
        encoder.name
      )
    )
  if (exchange._tag !== "Bytes") {
    return Effect.succeed(
      coded(new ReopenableBody(encoder.encode(RequestBody.chunksOf(made)), type, undefined, replayable))
    )
  }
  const { bytes } = exchange
  const whole = bytes.length <= oneStep
    ? Effect.sync(() => encoder.encodeSync(bytes))
    : Effect.map(Stream.runCollect(encoder.encode(slices(bytes, oneStep))), join)
  return Effect.map(
    whole,
    (smaller) => smaller.length < bytes.length ? coded(uint8Array(smaller, type === "" ? undefined : type)) : request
  )
}

/**
 * The response as it came, with its coding and length, and its body undecoded. Only one of the two bodies can be read.
 *
 * @since 0.1.0
 * @category accessors
 */
export const raw: (response: HttpClientResponse) => HttpClientResponse = originalOf

const decoded = (
  response: HttpClientResponse,
  codecs: ReadonlyMap<string, Codec>,
  limits: DecodingLimits
): HttpClientResponse => {
  const field = response instanceof HttpResponse
    ? response.contentEncoding
    : response.headers["content-encoding"]
  if (field === undefined || isNothingToDecode(response.request.method, response.status)) return response
  const codings = codingsOf(field)
  if (codings.length === 0) return response
  const chain = codecsFor(codings, codecs)
  return new DerivedResponse(
    response,
    Headers.removeMany(response.headers, ["content-encoding", "content-length"]),
    (derived) => ({
      bytes: once(
        Effect.flatMap(response.arrayBuffer, (buffer) => whole(new Uint8Array(buffer), chain, limits)).pipe(
          Effect.mapError((error) => error instanceof ContentCodingError ? derived.error(error) : error)
        )
      ),
      stream: asItComes(response.stream, chain, limits).pipe(
        Stream.mapError((error) => error instanceof ContentCodingError ? derived.error(error) : error)
      )
    })
  )
}

type Chain = ReturnType<typeof codecsFor<Codec>>

/** What has been decoded is not decoded again. */
const once = <E>(bytes: Effect.Effect<Uint8Array, E>): Effect.Effect<Uint8Array, E> => {
  let known: Uint8Array | undefined
  const first = Effect.map(bytes, (bytes) => known = bytes)
  return Effect.suspend(() => known === undefined ? first : Effect.succeed(known))
}

const whole = (
  bytes: Uint8Array,
  chain: Chain,
  limits: DecodingLimits
): Effect.Effect<Uint8Array, ContentCodingError> => {
  // Some servers name a coding for a body that is not there.
  if (bytes.length === 0) return Effect.succeed(bytes)
  if ("failure" in chain) return Effect.fail(new ContentCodingError(chain.failure))
  const most = mostOf(bytes.length, limits)
  const undo = (coded: Uint8Array, codec: Codec): Effect.Effect<Uint8Array, ContentCodingError> => {
    if (coded.length === 0) return Effect.succeed(coded)
    if (coded.length <= oneStep) {
      return Effect.flatMap(
        Effect.fromResult(codec.decodeSync(coded, most)),
        (decoded) => decoded.length > most ? Effect.fail(tooLarge(codec, limits)) : Effect.succeed(decoded)
      )
    }
    // Of several codings, each is judged by what arrived.
    const arrived = bytes.length / coded.length
    return codec.decodeWhole(coded, (size, used) => isTooMuch(size, arrived * used, limits))
  }
  return chain.codecs.reduce<Effect.Effect<Uint8Array, ContentCodingError>>(
    (coded, codec) => Effect.flatMap(coded, (coded) => undo(coded, codec)),
    Effect.succeed(bytes)
  )
}

const asItComes = <E>(
  stream: Stream.Stream<Uint8Array, E>,
  chain: Chain,
  limits: DecodingLimits
): Stream.Stream<Uint8Array, E | ContentCodingError> =>
  Stream.suspend(() => {
    if ("failure" in chain) return Stream.fail(new ContentCodingError(chain.failure))
    let arrived = 0
    const counted: Stream.Stream<Uint8Array, E | ContentCodingError> = Stream.map(stream, (bytes) => {
      arrived += bytes.length
      return bytes
    })
    return chain.codecs.reduce((coded, codec) => {
      let size = 0
      return Stream.mapEffect(codec.decode(coded), (bytes) => {
        size += bytes.length
        return isTooMuch(size, arrived, limits)
          ? Effect.fail(tooLarge(codec, limits))
          : Effect.succeed(bytes)
      })
    }, counted)
  })

const tooLarge = ({ names }: Codec, limits: DecodingLimits): ContentCodingError =>
  new ContentCodingError(tooMuch(names[0], limits))

const join = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
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
