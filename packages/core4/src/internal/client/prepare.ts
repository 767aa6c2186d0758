import {
  isIdempotent,
  requestHeaders,
  requestTarget,
  type Target,
  WireRequest,
  withoutHeader
} from "@sluice/engine/call"
import { liveBodyOf, type OwnedBody } from "@sluice/engine/client"
import * as Base64 from "effect/encoding/Base64"
import type * as Fiber from "effect/Fiber"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { ExchangeRequest } from "../../Connection.js"
import * as Idempotency from "../../Idempotency.js"
import type { Origin } from "../../Origin.js"
import * as Timeouts from "../../Timeouts.js"
import { isTransportError, type TransportError } from "../../TransportError.js"
import * as deadline from "../deadline.js"
import type { ClientOptions } from "./ClientOptions.js"
import { type Decoding, wantsDecoding } from "./Decoding.js"
import { PlatformRequest } from "./PlatformRequest.js"
import * as RequestBody from "./RequestBody.js"
import { StreamSource, type Track } from "./StreamSource.js"
import { resolve } from "./target.js"

/** Makes a request ready to send: where it goes, its body, and the timeouts that apply to the fiber that sends it. */
export const prepare = (
  request: HttpClientRequest,
  options: ClientOptions,
  fiber: Fiber.Fiber<unknown, unknown>,
  track: Track
): PlatformRequest | TransportError => {
  // It belongs to the request from here on, also when nothing comes of it.
  const live = liveBodyOf(RequestBody.rawOf(request.body))
  const prepared = prepareWith(request, options, fiber, track, live)
  if (isTransportError(prepared)) live?.close(prepared)
  return prepared
}

const prepareWith = (
  request: HttpClientRequest,
  options: ClientOptions,
  caller: Fiber.Fiber<unknown, unknown>,
  track: Track,
  live: OwnedBody | undefined
): PlatformRequest | TransportError => {
  const target = resolve(request, options)
  if (isTransportError(target)) return target
  const made = RequestBody.make(request.body, request.headers["content-type"])
  if (isTransportError(made)) return made
  const expect = expects(request, made) ? options.expectContinueTimeout : undefined
  const body = withLength(request, expect === undefined ? made : inChunks(made))
  const { chunks, exchange, replayable, trailers } = body
  const decoding = options.decoding !== undefined && wantsDecoding(request) ? options.decoding : undefined
  const headers = headersOf(request, target, body, caller.getRef(Idempotency.current), decoding)
  const wire = new WireRequest(
    target.origin,
    request.method,
    requestTarget(request.method, request.url, target),
    headers,
    exchange,
    isIdempotent(request.method) || headers["idempotency-key"] !== undefined
  )
  const source = chunks === undefined
    ? undefined
    : new StreamSource({
      chunks,
      trailers,
      replayable,
      live,
      caller,
      of: `${request.method} ${target.origin.href}`,
      track
    })
  return new PlatformRequest(
    request,
    target,
    wire,
    source,
    expect,
    timeoutsOf(caller, target.origin, options),
    decoding
  )
}

const expects = (request: HttpClientRequest, body: RequestBody.RequestBody): boolean =>
  request.headers["expect"]?.toLowerCase() === "100-continue" && body.exchange._tag !== "None"

/** A body that waits for `100 Continue` is not sent with its head. */
const inChunks = (body: RequestBody.RequestBody): RequestBody.RequestBody =>
  body.exchange._tag === "Bytes"
    ? {
      ...body,
      exchange: { _tag: "Chunks", length: body.exchange.bytes.length },
      chunks: RequestBody.chunksOf(body)
    }
    : body

/** A stream whose length only a header states, as when a request is passed on. */
const withLength = (request: HttpClientRequest, body: RequestBody.RequestBody): RequestBody.RequestBody => {
  if (body.exchange._tag !== "Chunks" || body.exchange.length !== undefined || body.exchange.trailers) return body
  const given = request.headers["content-length"]
  return given !== undefined && /^\d{1,15}$/.test(given)
    ? { ...body, exchange: { _tag: "Chunks", length: Number(given) } }
    : body
}

const headersOf = (
  request: HttpClientRequest,
  { credentials, origin }: Target,
  { contentType, exchange }: RequestBody.RequestBody,
  keys: Idempotency.Keys | undefined,
  decoding: Decoding | undefined
): ExchangeRequest["headers"] => {
  let given: ExchangeRequest["headers"] = request.headers
  // Who we are to a proxy is nothing that an origin may learn (RFC 9110 §11.7.2).
  if (origin.route?.isForward !== true) given = withoutHeader(given, "proxy-authorization")
  // The length that the platform has written there when the body was set.
  if (exchange._tag === "Chunks" && exchange.trailers) given = withoutHeader(given, "content-length")
  return requestHeaders(
    given,
    contentType,
    credentials === undefined ? undefined : basic(credentials),
    keys === undefined || isIdempotent(request.method) || given["idempotency-key"] !== undefined
      ? undefined
      : keys.keyFor(request),
    decoding?.headers
  )
}

export const basic = (credentials: string): string => `Basic ${Base64.encode(credentials)}`

/** Those of the region, over those of the origin, over those of the client. */
const timeoutsOf = (
  fiber: Fiber.Fiber<unknown, unknown>,
  { route }: Origin,
  { timeouts }: ClientOptions
): Timeouts.Resolved => {
  const local = fiber.getRef(Timeouts.current)
  const own = route?.timeouts
  if (local === undefined && own === undefined) return timeouts
  const laid = { ...timeouts, ...own, ...local }
  // What is left of the whole call bounds a hop to another origin too, and that one's own does.
  return own?.total !== undefined && own.total < laid.total && deadline.ofRegion(local)?.yields === true
    ? { ...laid, total: own.total }
    : laid
}
