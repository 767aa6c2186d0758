import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type { ExchangeRequest } from "../../Connection.js"
import * as Timeouts from "../../Timeouts.js"
import type { TransportError } from "../../TransportError.js"
import type { PreparedRequest } from "./Call.js"
import type { ClientOptions } from "./ClientOptions.js"
import * as RequestBody from "./RequestBody.js"
import * as target from "./target.js"

/** Methods that can be carried out twice without harm (RFC 9110 §9.2.2, and QUERY of RFC 10008's draft). */
const idempotent = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY"])

/** Makes a request ready to send: where it goes, its body, and the timeouts that apply to the fiber that sends it. */
export const prepare = (
  request: HttpClientRequest,
  options: ClientOptions,
  fiber: Fiber.RuntimeFiber<unknown, unknown>
): Either.Either<PreparedRequest, TransportError> => {
  const destination = target.resolve(request)
  if (Either.isLeft(destination)) return Either.left(destination.left)
  const made = RequestBody.make(request)
  if (Either.isLeft(made)) return Either.left(made.left)
  const expect = expects(request, made.right) ? options.expectContinueTimeout : undefined
  const body = expect === undefined ? made.right : inParts(made.right)
  return Either.right({
    request,
    target: destination.right,
    wire: {
      origin: destination.right.origin,
      method: request.method,
      target: destination.right.path,
      headers: headersOf(request, destination.right, body),
      body: body.exchange,
      repeatable: body.replayable &&
        (idempotent.has(request.method) || request.headers["idempotency-key"] !== undefined)
    },
    body,
    expect,
    timeouts: timeoutsOf(fiber, options.timeouts)
  })
}

const expects = (request: HttpClientRequest, body: RequestBody.RequestBody): boolean =>
  request.headers["expect"]?.toLowerCase() === "100-continue" && body.exchange._tag !== "None"

/** A body that waits for `100 Continue` is not sent with its head. */
const inParts = (body: RequestBody.RequestBody): RequestBody.RequestBody =>
  body.exchange._tag === "Bytes"
    ? {
      ...body,
      exchange: { _tag: "Parts", length: body.exchange.bytes.length },
      parts: Stream.succeed(body.exchange.bytes)
    }
    : body

const headersOf = (
  request: HttpClientRequest,
  { authorization }: target.Target,
  { contentType }: RequestBody.RequestBody
): ExchangeRequest["headers"] => {
  const given = request.headers
  const addType = contentType !== undefined && given["content-type"] === undefined
  const addAuthorization = authorization !== undefined && given["authorization"] === undefined
  if (!addType && !addAuthorization) return given
  const headers: Record<string, string> = { ...given }
  if (addType) headers["content-type"] = contentType
  if (addAuthorization) headers["authorization"] = authorization
  return headers
}

const timeoutsOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>, base: Timeouts.Resolved): Timeouts.Resolved => {
  const local = fiber.getFiberRef(Timeouts.current)
  // They were checked when the region was entered.
  return local === undefined ? base : Either.getOrElse(Timeouts.resolve(local, base), () => base)
}
