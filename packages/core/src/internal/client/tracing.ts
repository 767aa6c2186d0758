import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as TraceContext from "@effect/platform/HttpTraceContext"
import { redactQuery } from "@sluice/engine/call"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import type * as Tracer from "effect/Tracer"
import { originalOf } from "../DerivedResponse.js"
import type { ConnectionInfo, HttpResponse } from "./HttpResponse.js"
import type { PlatformRequest } from "./PlatformRequest.js"
import { isHarmless } from "./redactHeaders.js"
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
          if (failure._tag === "Some") span.attribute("error.type", errorType(failure.value))
          return end(fiber, span, Exit.failCause(cause))
        },
        onSuccess: (response) => {
          attributeResponse(span, originalOf(response) as HttpResponse, redactedNames)
          return end(fiber, span, Exit.succeed(response))
        }
      })
    })
  )
}

const spanOptions = { kind: "client", captureStackTrace: false } as const

const end = <A, E>(fiber: Fiber.RuntimeFiber<unknown, unknown>, span: Tracer.Span, exit: Exit.Exit<A, E>) => {
  const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
  span.end(fiber.getFiberRef(FiberRef.currentTracerTimingEnabled) ? clock.unsafeCurrentTimeNanos() : BigInt(0), exit)
  return exit
}

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

/** Where the time went before the response head, which ends the span; in milliseconds. */
const attributeConnection = (span: Tracer.Span, connection: ConnectionInfo): void => {
  span.attribute("network.protocol.version", connection.protocol === "h2" ? "2" : "1.1")
  if (connection.remoteAddress !== undefined) span.attribute("network.peer.address", connection.remoteAddress)
  span.attribute("sluice.connection.reused", connection.reused)
  if (connection.waitTime > 0) span.attribute("sluice.connection.wait_time", connection.waitTime)
  if (connection.connectTime !== undefined) span.attribute("sluice.connection.connect_time", connection.connectTime)
  if (connection.tlsTime !== undefined) span.attribute("sluice.connection.tls_time", connection.tlsTime)
}

const errorType = (error: unknown): string => {
  const cause = (error as { readonly cause?: { readonly _tag?: string } } | null)?.cause
  return cause?._tag ?? (error as { readonly _tag?: string } | null)?._tag ?? "_OTHER"
}
