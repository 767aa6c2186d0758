import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as TraceContext from "@effect/platform/HttpTraceContext"
import { type Failure, isFailure } from "@sluice/engine"
import { redactQuery } from "@sluice/engine/call"
import { isHarmless } from "@sluice/engine/client"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import { fromFailure } from "../../TransportError.js"
import { originalOf } from "../DerivedResponse.js"
import { PrintableError, withoutFrames } from "../printable.js"
import type { ConnectionInfo, HttpResponse } from "./HttpResponse.js"
import type { PlatformRequest } from "./PlatformRequest.js"
import { countSend, isObserved } from "./sends.js"

/**
 * Whether anybody would see a span of this request: there is a tracer that is not the default one, which exports
 * nothing, or a span that it would belong to. A span costs as much as the rest of the request.
 */
export const isTraced = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  request: HttpClientRequest.HttpClientRequest
): boolean =>
  isObserved(fiber) &&
  fiber.getFiberRef(FiberRef.currentTracerEnabled) &&
  !fiber.getFiberRef(HttpClient.currentTracerDisabledWhen)(request)

/**
 * Runs a request in a span of kind client that ends when the response head is there, with the attributes of
 * OpenTelemetry's HTTP conventions, and passes it on to the server.
 * https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
 *
 * What `Effect.useSpan` and `tapBoth` would do, in one bracket: with them a traced request costs a tenth more. `send` is
 * what lets itself be interrupted.
 */
export const traced = <A extends HttpClientResponse, E>(
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  prepared: PlatformRequest,
  send: (prepared: PlatformRequest) => Effect.Effect<A, E>
): Effect.Effect<A, E> => {
  const name = Context.get(fiber.currentContext, HttpClient.SpanNameGenerator)(prepared.request)
  const redactedNames = fiber.getFiberRef(Headers.currentRedactedNames)
  return Effect.uninterruptible(
    Effect.flatMap(Effect.makeSpan(name, spanOptions), (span) => {
      attributeRequest(span, prepared, redactedNames)
      const resends = countSend(fiber)
      if (resends > 0) span.attribute("http.request.resend_count", resends)
      const sent = send(
        fiber.getFiberRef(HttpClient.currentTracerPropagation)
          ? prepared.withHeaders(TraceContext.toHeaders(span))
          : prepared
      )
      // Only a body that is a stream runs anything of the user's.
      const within = prepared.source === undefined ? sent : Effect.withParentSpan(sent, span)
      return Effect.matchCauseEffect(within, {
        onFailure: (cause) => {
          const failure = Cause.failureOption(cause)
          if (failure._tag === "Some") attributeFailure(span, failure.value)
          const exit = Exit.failCause(cause)
          span.end(endOf(fiber), exit)
          return exit
        },
        onSuccess: (response) => {
          const original = originalOf(response) as HttpResponse
          attributeResponse(span, original, redactedNames)
          const ended = endOf(fiber)
          span.end(ended, response.status < 400 ? Exit.succeed(response) : failedWith(response.status))
          if (!original.isComplete) traceBody(fiber, span, ended, original)
          return Exit.succeed(response)
        }
      })
    })
  )
}

const spanOptions = { kind: "client", captureStackTrace: false } as const

const endOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): bigint =>
  fiber.getFiberRef(FiberRef.currentTracerTimingEnabled)
    ? Context.get(fiber.currentDefaultServices, Clock.Clock).unsafeCurrentTimeNanos()
    : BigInt(0)

/** For a client a status from 400 on is an error of the span, as the conventions have it; for the caller it is a response. */
class ErrorStatus extends PrintableError("ErrorStatus")<{ readonly status: number }> {
  override get message(): string {
    return `The response has status ${this.status}`
  }
}

const failedWith = (status: number) => Exit.fail(withoutFrames(() => new ErrorStatus({ status })))

/**
 * The span of a request ends with the head, when the caller goes on. A body that breaks off after it gets a span of its
 * own, from the head to its failure; one that arrives whole, none, so that it costs nothing.
 */
const traceBody = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  parent: Tracer.Span,
  begun: bigint,
  response: HttpResponse
): void => {
  const { currentTracer: tracer } = fiber
  response.onBodyFailure((failure) => {
    // It was the caller who left it.
    if (failure._tag === "BodyAbandoned" && failure.reason !== "Unread") return
    const span = tracer.span(`${parent.name} body`, Option.some(parent), Context.empty(), [], begun, "client")
    attributeFailure(span, failure)
    span.end(endOf(fiber), Exit.fail(fromFailure(failure)))
  })
}

/** What is known of a failure: its type, and of the connection what is known of that of a response. */
const attributeFailure = (span: Tracer.Span, error: unknown): void => {
  const transport = transportOf(error)
  span.attribute("error.type", transport?._tag ?? tagOf(error) ?? "_OTHER")
  if (transport === undefined) return
  if (transport.connection !== undefined) attributeConnection(span, transport.connection)
  switch (transport._tag) {
    case "PoolTimeout":
      return span.attribute("sluice.connection.wait_time", transport.waited / 1000)
    case "ConnectTimeout":
      span.attribute("sluice.connection.wait_time", transport.timeout / 1000)
      if (transport.stage !== undefined) span.attribute("sluice.connection.stage", transport.stage._tag)
      return
    case "ConnectError":
      if (transport.addresses?.length === 1) span.attribute("network.peer.address", transport.addresses[0].address)
      return
    default:
      return
  }
}

const transportOf = (error: unknown): Failure.Failure | undefined => {
  if (isFailure(error)) return error
  const cause = (error as { readonly cause?: unknown } | null)?.cause
  return isFailure(cause) ? cause : undefined
}

const tagOf = (error: unknown): string | undefined => (error as { readonly _tag?: string } | null)?._tag

type RedactedNames = Parameters<typeof Headers.redact>[1]

const attributeRequest = (span: Tracer.Span, { request, target }: PlatformRequest, redacted: RedactedNames): void => {
  span.attribute("http.request.method", request.method)
  span.attribute("server.address", target.origin.host)
  span.attribute("server.port", target.origin.port)
  const query = redactQuery(target.url.search)
  // Userinfo and fragment are left out, and what a query says is redacted: it may be a token.
  span.attribute("url.full", target.display + query)
  span.attribute("url.path", target.display.slice(target.origin.href.length))
  span.attribute("url.scheme", target.origin.scheme)
  if (query !== "") span.attribute("url.query", query.slice(1))
  // Where it does not go the plain way, the key of its connections says which: never with credentials.
  if (target.origin.route !== undefined) span.attribute("sluice.route", target.origin.key)
  attributeHeaders(span, "http.request.header.", Headers.redact(request.headers, redacted))
}

const attributeResponse = (span: Tracer.Span, response: HttpResponse, redacted: RedactedNames): void => {
  span.attribute("http.response.status_code", response.status)
  attributeConnection(span, response.connection)
  if (response.status >= 400) span.attribute("error.type", String(response.status))
  attributeHeaders(span, "http.response.header.", Headers.redact(response.headers, redacted))
}

/** The conventions ask for headers by opt-in only: these are such as can hold no secret, unless somebody redacts them. */
const attributeHeaders = (
  span: Tracer.Span,
  prefix: string,
  headers: ReturnType<typeof Headers.redact>
): void => {
  for (const name in headers) if (isHarmless(name)) span.attribute(prefix + name, String(headers[name]))
}

/** Where the time went before the response head, which ends the span; in seconds. */
const attributeConnection = (span: Tracer.Span, connection: Failure.FailedConnection | ConnectionInfo): void => {
  span.attribute("network.protocol.version", connection.protocol === "h2" ? "2" : "1.1")
  if (connection.remoteAddress !== undefined) span.attribute("network.peer.address", connection.remoteAddress)
  span.attribute("sluice.connection.reused", connection.reused)
  if (connection.waitTime > 0) span.attribute("sluice.connection.wait_time", connection.waitTime / 1000)
  if (connection.connectTime !== undefined) {
    span.attribute("sluice.connection.connect_time", connection.connectTime / 1000)
  }
  if (connection.tlsTime !== undefined) span.attribute("sluice.connection.tls_time", connection.tlsTime / 1000)
}
