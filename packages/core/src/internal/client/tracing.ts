import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as TraceContext from "@effect/platform/HttpTraceContext"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Tracer from "effect/Tracer"
import type { ConnectionInfo } from "../../PooledHttpClient.js"
import type { HttpResponse } from "./HttpResponse.js"
import type { PreparedRequest } from "./PreparedRequest.js"

const nativeTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/**
 * Whether anybody would see a span of this request: there is a tracer that is not the default one, which exports
 * nothing, or a span that it would belong to. A span costs as much as the rest of the request.
 */
export const isTraced = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  request: HttpClientRequest.HttpClientRequest
): boolean =>
  (fiber.currentSpan !== undefined || fiber.currentTracer !== nativeTracer) &&
  fiber.getFiberRef(FiberRef.currentTracerEnabled) &&
  !fiber.getFiberRef(HttpClient.currentTracerDisabledWhen)(request)

/**
 * Runs a request in a span of kind client that ends when the head of the answer is there, with the attributes of
 * OpenTelemetry's HTTP conventions, and tells the server of it.
 * https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
 */
export const traced = <E>(
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  { request, target }: PreparedRequest,
  send: (headers: Readonly<Record<string, string>>) => Effect.Effect<HttpResponse, E>
): Effect.Effect<HttpResponse, E> => {
  const name = Context.get(fiber.currentContext, HttpClient.SpanNameGenerator)(request)
  return Effect.useSpan(name, { kind: "client", captureStackTrace: false }, (span) => {
    const redactedNames = fiber.getFiberRef(Headers.currentRedactedNames)
    span.attribute("http.request.method", request.method)
    span.attribute("server.address", target.origin.host)
    span.attribute("server.port", target.origin.port)
    span.attribute("url.full", fullUrl(target.url))
    span.attribute("url.path", target.url.pathname)
    span.attribute("url.scheme", target.origin.scheme)
    if (target.url.search !== "") span.attribute("url.query", target.url.search.slice(1))
    attributeHeaders(span, "http.request.header.", Headers.redact(request.headers, redactedNames))
    const headers = fiber.getFiberRef(HttpClient.currentTracerPropagation)
      ? HttpClientRequest.setHeaders(request, TraceContext.toHeaders(span)).headers
      : request.headers
    return send(headers).pipe(
      Effect.withParentSpan(span),
      Effect.tapBoth({
        onSuccess: (response) =>
          Effect.sync(() => {
            span.attribute("http.response.status_code", response.status)
            attributeConnection(span, response.connection)
            if (response.status >= 400) span.attribute("error.type", String(response.status))
            attributeHeaders(span, "http.response.header.", Headers.redact(response.headers, redactedNames))
          }),
        onFailure: (error) => Effect.sync(() => span.attribute("error.type", errorType(error)))
      })
    )
  })
}

const attributeHeaders = (
  span: Tracer.Span,
  prefix: string,
  headers: ReturnType<typeof Headers.redact>
): void => {
  for (const name in headers) span.attribute(prefix + name, String(headers[name]))
}

/** Where the time went before the first byte of the answer, which ends the span; in milliseconds. */
const attributeConnection = (span: Tracer.Span, connection: ConnectionInfo): void => {
  span.attribute("network.protocol.name", "http")
  span.attribute("network.protocol.version", connection.protocol === "h2" ? "2" : "1.1")
  if (connection.remoteAddress !== undefined) span.attribute("network.peer.address", connection.remoteAddress)
  span.attribute("sluice.connection.reused", connection.reused)
  span.attribute("sluice.connection.wait_time", connection.waitTime)
  if (connection.connectTime !== undefined) span.attribute("sluice.connection.connect_time", connection.connectTime)
  if (connection.tlsTime !== undefined) span.attribute("sluice.connection.tls_time", connection.tlsTime)
}

/** Userinfo is redacted, as the conventions ask. */
const fullUrl = (url: URL): string => {
  if (url.username === "" && url.password === "") return url.href
  const shown = new URL(url)
  shown.username = "REDACTED"
  shown.password = "REDACTED"
  return shown.href
}

const errorType = (error: unknown): string => {
  const cause = (error as { readonly cause?: { readonly _tag?: string } } | null)?.cause
  return cause?._tag ?? (error as { readonly _tag?: string } | null)?._tag ?? "_OTHER"
}
