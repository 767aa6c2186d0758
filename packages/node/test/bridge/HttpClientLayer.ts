import * as HttpClient from "@effect/platform/HttpClient"
import { type HttpClientError, RequestError, ResponseError } from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as Idempotency from "@sluice/core/Idempotency"
import { InvalidOptions } from "@sluice/core/InvalidOptions"
import { PooledHttpClient } from "@sluice/core/PooledHttpClient"
import * as Timeouts from "@sluice/core/Timeouts"
import * as TransportError from "@sluice/core/TransportError"
import * as ConnectionPool4 from "@sluice/core4/ConnectionPool"
import * as Idempotency4 from "@sluice/core4/Idempotency"
import * as PooledHttpClient4 from "@sluice/core4/PooledHttpClient"
import * as Timeouts4 from "@sluice/core4/Timeouts"
import * as TransportError4 from "@sluice/core4/TransportError"
import { HttpClientLayer as Layer4Of } from "@sluice/node4"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Clock4 from "effect4/Clock"
import * as Context4 from "effect4/Context"
import * as Effect4 from "effect4/Effect"
import * as HttpClient4 from "effect4/http/HttpClient"
import type { HttpClientError as HttpClientError4 } from "effect4/http/HttpClientError"
import * as Layer4 from "effect4/Layer"
import * as Scope4 from "effect4/Scope"
import type { Options, Provided } from "../../src/HttpClientLayer.js"
import { clock4, from4, scope4, stream3 } from "./effects.js"
import { Response3, toRequest4 } from "./messages.js"

export type { Options } from "../../src/HttpClientLayer.js"

/** What the errors of both faces are made of is the same. */
export const toTransportError = (error: TransportError4.TransportError): TransportError.TransportError => {
  const { _tag } = error
  const fields = { ...error } as Record<string, unknown>
  // Of an error it is no field that can be seen.
  const { cause: given } = error as { readonly cause?: unknown }
  const cause = TransportError4.isTransportError(given) ? toTransportError(given) : given
  return TransportError.fromFailure({ ...fields, ...(cause === undefined ? {} : { cause }), _tag } as never)
}

export const layer = (options: Options = {}): Layer.Layer<Provided, InvalidOptions> =>
  Layer.scopedContext(Effect.gen(function*() {
    const clock = yield* Effect.clock
    const runtime = yield* Effect.runtime<never>()
    const context = "adjust" in clock
      ? Context4.make(Clock4.Clock, clock4(clock, runtime))
      : Context4.empty()
    const scope = yield* scope4(context)
    const built = yield* from4(Layer4.buildWithScope(Layer4Of.layer(options as never), scope), context).pipe(
      Effect.mapError((error) => new InvalidOptions({ problems: error.problems }))
    )
    const client = Context4.get(built, HttpClient4.HttpClient)
    const typed = Context4.get(built, PooledHttpClient4.PooledHttpClient)

    const toPlatform = (error: HttpClientError4, request: HttpClientRequest): HttpClientError => {
      const { reason } = error
      const given = "cause" in reason ? reason.cause : undefined
      const cause = TransportError4.isTransportError(given) ? toTransportError(given) : given
      const { description } = reason
      const said = { ...(description === undefined ? {} : { description }), ...(cause === undefined ? {} : { cause }) }
      switch (reason._tag) {
        case "TransportError":
          return new RequestError({ request, reason: "Transport", ...said })
        case "EncodeError":
          return new RequestError({ request, reason: "Encode", ...said })
        case "InvalidUrlError":
          return new RequestError({ request, reason: "InvalidUrl", ...said })
        case "StatusCodeError":
        case "DecodeError":
        case "EmptyBodyError": {
          const kind = reason._tag.replace(/Error$/, "") as ResponseError["reason"]
          const response = new Response3(request, reason.response, context, (error) => toPlatform(error, request))
          return new ResponseError({ request, response, reason: kind, ...said })
        }
      }
    }

    const bridged = <E4, E>(
      client: HttpClient4.HttpClient.With<E4>,
      toError: (error: E4, request: HttpClientRequest) => E
    ) =>
      HttpClient.makeWith<never, never, E, never>(
        (request) =>
          Effect.flatMap(Effect.all([request, Effect.runtime<never>()]), ([request, runtime]) =>
            Effect.withFiberRuntime<HttpClientResponse, E>((fiber) => {
              const timeouts = fiber.getFiberRef(Timeouts.current)
              const keys = fiber.getFiberRef(Idempotency.current)
              const inRegion = Effect4.suspend(() =>
                client.execute(toRequest4(request, runtime))
              ).pipe(
                Effect4.provideService(Timeouts4.current, timeouts),
                Effect4.provideService(Idempotency4.current, keys && { keyFor: () => keys.keyFor(request) })
              )
              return from4(inRegion, context).pipe(
                Effect.mapBoth({
                  onFailure: (error) => toError(error, request),
                  onSuccess: (response) =>
                    new Response3(request, response, context, (error) => toPlatform(error, request))
                })
              )
            })),
        Effect.succeed
      )

    return Context.make(HttpClient.HttpClient, bridged(client, toPlatform)).pipe(
      Context.add(PooledHttpClient, bridged(typed, (error) => toTransportError(error))),
      Context.add(ConnectionPool.ConnectionPool, pool3(Context4.get(built, ConnectionPool4.ConnectionPool), context))
    )
  }))

export const layerOrDie = (options: Options = {}): Layer.Layer<Provided> => Layer.orDie(layer(options))

const pool3 = (
  pool: ConnectionPool4.ConnectionPool,
  context: Context4.Context<never>
): ConnectionPool.ConnectionPool => ({
  [ConnectionPool.TypeId]: ConnectionPool.TypeId,
  acquire: (origin, options) =>
    Effect.flatMap(
      scope4(context),
      (scope) =>
        from4(Scope4.provide(pool.acquire(origin, options as never), scope), context).pipe(
          Effect.mapError(toTransportError)
        )
    ) as never,
  stats: from4(pool.stats, context),
  unsafeStats: () => pool.unsafeStats(),
  inFlight: from4(pool.inFlight, context),
  events: stream3(pool.events, context) as never,
  evictIdle: from4(pool.evictIdle, context),
  warm: (origin, count) => Effect.mapError(from4(pool.warm(origin, count), context), toTransportError),
  limits: from4(pool.limits, context) as never,
  setLimits: (limits) =>
    Effect.mapError(
      from4(pool.setLimits(limits as never), context),
      (error) => new InvalidOptions({ problems: error.problems })
    )
})
