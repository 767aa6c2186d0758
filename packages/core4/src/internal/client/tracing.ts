import { attributeFailure, attributeRequest, attributeResponse } from "@sluice/engine/client"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { constFalse } from "effect/Function"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as TraceContext from "effect/http/HttpTraceContext"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { fromFailure } from "../../TransportError.js"
import { originalOf } from "../DerivedResponse.js"
import { PrintableError, withoutFrames } from "../printable.js"
import type { HttpResponse } from "./HttpResponse.js"
import type { PlatformRequest } from "./PlatformRequest.js"
import { addSends, countSend, isObserved } from "./sends.js"

/**
 * Whether anybody would see a span of this request: there is a tracer that is not the default one, which exports
 * nothing, or a span that it would belong to. A span costs as much as the rest of the request.
 */
export const isTraced = (
  fiber: Fiber.Fiber<unknown, unknown>,
  request: HttpClientRequest.HttpClientRequest
): boolean =>
  isObserved(fiber) &&
  fiber.cache.tracerEnabled &&
  !fiber.getRef(Tracer.DisablePropagation) &&
  !fiber.getRef(HttpClient.TracerDisabledWhen)(request)

/**
 * Runs a request in a span of kind client that ends when the response head is there, with the attributes of
 * OpenTelemetry's HTTP conventions, and passes it on to the server.
 * https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
 *
 * What `Effect.useSpan` and `tapBoth` would do, in one bracket: with them a traced request costs a tenth more. `send` is
 * what lets itself be interrupted.
 */
export const traced = <A extends HttpClientResponse, E>(
  fiber: Fiber.Fiber<unknown, unknown>,
  prepared: PlatformRequest,
  send: (prepared: PlatformRequest, restore: Restore) => Effect.Effect<A, E>
): Effect.Effect<A, E> => {
  const name = fiber.getRef(HttpClient.SpanNameGenerator)(prepared.request)
  return Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.makeSpan(name, spanOptions), (span) => {
      attributeRequest(span, prepared.request.method, prepared.target, none)
      attributeHeaders(fiber, span, "request", prepared.request)
      const resends = countSend(fiber)
      if (resends > 0) span.attribute("http.request.resend_count", resends)
      const passedOn = fiber.getRef(HttpClient.TracerPropagationEnabled)
        ? prepared.withHeaders(TraceContext.toHeaders(span))
        : prepared
      const sent = send(passedOn, restore)
      // Only a body that is a stream runs anything of the user's.
      const within = prepared.source === undefined ? sent : Effect.withParentSpan(sent, span, noStack)
      const countRetries = () => {
        const { retries } = passedOn
        if (retries === 0) return
        span.attribute("http.request.resend_count", resends + retries)
        addSends(fiber, retries)
      }
      return Effect.matchCauseEffect(within, {
        onFailure: (cause) => {
          countRetries()
          const failure = Cause.findErrorOption(cause)
          if (failure._tag === "Some") attributeFailure(span, failure.value)
          const exit = Exit.failCause(cause)
          span.end(endOf(fiber), exit)
          return exit
        },
        onSuccess: (response) => {
          const original = originalOf(response) as HttpResponse
          countRetries()
          attributeResponse(span, original.status, original.connection, none)
          attributeHeaders(fiber, span, "response", original)
          const ended = endOf(fiber)
          span.end(ended, response.status < 400 ? Exit.succeed(response) : failedWith(response.status))
          if (!original.isComplete) traceBody(fiber, span, ended, original)
          return Exit.succeed(response)
        }
      })
    })
  )
}

/** Which headers a span has is for `HttpClient.TracerHeaderFilter` to say: by default none, and then they are not even read. */
const attributeHeaders = (
  fiber: Fiber.Fiber<unknown, unknown>,
  span: Tracer.Span,
  phase: "request" | "response",
  message: { readonly headers: Headers.Headers }
): void => {
  const isWanted = fiber.getRef(HttpClient.TracerHeaderFilter)
  if (isWanted === constFalse) return
  const { headers } = message
  const redactedNames = fiber.getRef(Headers.CurrentRedactedNames)
  for (const name of Object.keys(headers)) {
    if (!isWanted(name, phase)) continue
    const isSecret = Headers.isRedactedName(name, redactedNames)
    span.attribute(`http.${phase}.header.${name}`, isSecret ? "<redacted>" : headers[name])
  }
}

const none = {}

/** What makes interruptible again what was. */
export type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

const noStack = { captureStackTrace: false } as const
const spanOptions = { kind: "client" } as const

const endOf = (fiber: Fiber.Fiber<unknown, unknown>): bigint =>
  fiber.getRef(References.TracerTimingEnabled)
    // When a span ended is a date.
    // eslint-disable-next-line no-restricted-syntax
    ? fiber.getRef(Clock.Clock).currentTimeNanosUnsafe()
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
  fiber: Fiber.Fiber<unknown, unknown>,
  parent: Tracer.Span,
  begun: bigint,
  response: HttpResponse
): void => {
  const tracer = fiber.cache.tracer ?? Tracer.nativeTracer
  response.onBodyFailure((failure) => {
    // It was the caller who left it.
    if (failure._tag === "BodyAbandoned" && failure.reason !== "Unread") return
    const span = tracer.span({
      name: `${parent.name} body`,
      parent: Option.some(parent),
      annotations: Context.empty(),
      links: [],
      startTime: begun,
      kind: "client",
      root: false,
      sampled: parent.sampled
    })
    attributeFailure(span, failure)
    span.end(endOf(fiber), Exit.fail(fromFailure(failure)))
  })
}
