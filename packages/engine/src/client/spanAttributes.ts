import { type ConnectionFacts, redactQuery, type Target } from "../call/index.js"
import { isFailure } from "../describeFailure.js"
import type * as Failure from "../Failure.js"
import { isHarmless } from "./redactHeaders.js"

// Names of OpenTelemetry's conventions for HTTP clients where they have one; `sluice.` where not.
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span

/** What is used of a span. */
export interface SpanAttributes {
  readonly attribute: (name: string, value: unknown) => void
}

/** What is known of a failure: its type, and of the connection what is known of that of a response. */
export const attributeFailure = (span: SpanAttributes, error: unknown): void => {
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

/** `headers` are those that nobody has redacted. */
export const attributeRequest = (
  span: SpanAttributes,
  method: string,
  target: Target,
  headers: Readonly<Record<string, unknown>>
): void => {
  span.attribute("http.request.method", method)
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
  attributeHeaders(span, "http.request.header.", headers)
}

export const attributeResponse = (
  span: SpanAttributes,
  status: number,
  connection: ConnectionFacts,
  headers: Readonly<Record<string, unknown>>
): void => {
  span.attribute("http.response.status_code", status)
  attributeConnection(span, connection)
  if (status >= 400) span.attribute("error.type", String(status))
  attributeHeaders(span, "http.response.header.", headers)
}

/** The conventions ask for headers by opt-in only: these are such as can hold no secret, unless somebody redacts them. */
const attributeHeaders = (
  span: SpanAttributes,
  prefix: string,
  headers: Readonly<Record<string, unknown>>
): void => {
  for (const name in headers) if (isHarmless(name)) span.attribute(prefix + name, String(headers[name]))
}

/** Where the time went before the response head, which ends the span; in seconds. */
const attributeConnection = (
  span: SpanAttributes,
  connection: Failure.FailedConnection | ConnectionFacts
): void => {
  span.attribute("network.protocol.version", connection.protocol === "h2" ? "2" : "1.1")
  if (connection.remoteAddress !== undefined) span.attribute("network.peer.address", connection.remoteAddress)
  span.attribute("sluice.connection.reused", connection.reused)
  if (connection.waitTime > 0) span.attribute("sluice.connection.wait_time", connection.waitTime / 1000)
  if (connection.connectTime !== undefined) {
    span.attribute("sluice.connection.connect_time", connection.connectTime / 1000)
  }
  if (connection.tlsTime !== undefined) span.attribute("sluice.connection.tls_time", connection.tlsTime / 1000)
}
