import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import type { ExchangeRequest } from "../../Connection.js"
import * as Idempotency from "../../Idempotency.js"
import * as Timeouts from "../../Timeouts.js"
import { isTransportError, type TransportError } from "../../TransportError.js"
import type { ClientOptions } from "./ClientOptions.js"
import { isIdempotent } from "./methods.js"
import { PreparedRequest, WireRequest } from "./PreparedRequest.js"
import * as RequestBody from "./RequestBody.js"
import * as target from "./target.js"

/** Makes a request ready to send: where it goes, its body, and the timeouts that apply to the fiber that sends it. */
export const prepare = (
  request: HttpClientRequest,
  options: ClientOptions,
  fiber: Fiber.RuntimeFiber<unknown, unknown>
): PreparedRequest | TransportError => {
  const destination = target.resolve(request)
  if (isTransportError(destination)) return destination
  const made = RequestBody.make(request.body)
  if (isTransportError(made)) return made
  const expect = expects(request, made) ? options.expectContinueTimeout : undefined
  const body = withLength(request, expect === undefined ? made : inParts(made))
  const headers = headersOf(request, destination, body, fiber.getFiberRef(Idempotency.current))
  return new PreparedRequest(
    request,
    destination,
    new WireRequest(
      destination.origin,
      request.method,
      target.requestTarget(request, destination),
      headers,
      body.exchange,
      body.replayable && (isIdempotent(request.method) || headers["idempotency-key"] !== undefined)
    ),
    body,
    expect,
    timeoutsOf(fiber, options.timeouts)
  )
}

const expects = (request: HttpClientRequest, body: RequestBody.RequestBody): boolean =>
  request.headers["expect"]?.toLowerCase() === "100-continue" && body.exchange._tag !== "None"

/** A body that waits for `100 Continue` is not sent with its head. */
const inParts = (body: RequestBody.RequestBody): RequestBody.RequestBody =>
  body.exchange._tag === "Bytes"
    ? {
      ...body,
      exchange: { _tag: "Chunks", length: body.exchange.bytes.length },
      parts: RequestBody.partsOf(body)
    }
    : body

/** A stream whose length only a header tells, as when a request is passed on. */
const withLength = (request: HttpClientRequest, body: RequestBody.RequestBody): RequestBody.RequestBody => {
  if (body.exchange._tag !== "Chunks" || body.exchange.length !== undefined || body.exchange.trailers) return body
  const given = request.headers["content-length"]
  return given !== undefined && /^\d{1,15}$/.test(given)
    ? { ...body, exchange: { _tag: "Chunks", length: Number(given) } }
    : body
}

const headersOf = (
  request: HttpClientRequest,
  { authorization }: target.Target,
  { contentType, exchange }: RequestBody.RequestBody,
  keys: Idempotency.Keys | undefined
): ExchangeRequest["headers"] => {
  const given = exchange._tag === "Chunks" && exchange.trailers ? withoutLength(request.headers) : request.headers
  const addType = contentType !== undefined && given["content-type"] === undefined
  const addAuthorization = authorization !== undefined && given["authorization"] === undefined
  const addKey = keys !== undefined && !isIdempotent(request.method) && given["idempotency-key"] === undefined
  if (!addType && !addAuthorization && !addKey) return given
  const headers: Record<string, string> = { ...given }
  if (addType) headers["content-type"] = contentType
  if (addAuthorization) headers["authorization"] = authorization
  if (addKey) headers["idempotency-key"] = keys.keyFor(request)
  return headers
}

/** The length that the platform has written there when the body was set. */
const withoutLength = ({ "content-length": _, ...headers }: ExchangeRequest["headers"]): ExchangeRequest["headers"] =>
  headers

const timeoutsOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>, base: Timeouts.Resolved): Timeouts.Resolved => {
  const local = fiber.getFiberRef(Timeouts.current)
  // They were checked when the region was entered.
  return local === undefined ? base : Either.getOrElse(Timeouts.resolve(local, base), () => base)
}
