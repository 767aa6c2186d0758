import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import { HttpClientLayer, Sse } from "@sluice/node"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

/** What a model streams: its text as it comes, and at the end what it has cost. */
export type Part =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Usage"; readonly inputTokens: number; readonly outputTokens: number }

export interface Question {
  readonly model: string
  readonly prompt: string
  readonly maxTokens: number
}

/** The service refuses, at once or in the middle of its stream; or what it streams is not what was agreed. */
export class ModelError extends Data.TaggedError("ModelError")<{
  readonly type: string
  readonly message: string
  /** That of the response. */
  readonly status: number
}> {}

export type TokenError = HttpClientError | ModelError | Sse.EventTooLarge

/**
 * A client for services that stream. 429 and 529 (overloaded) say that nothing was done, so a POST is sent again too, when
 * `Retry-After` says so.
 */
export const Client = HttpClientLayer.layer({
  retry: { times: 4, refusals: [429, 529], maxRetryAfter: "1 minute" }
})

/**
 * The events of the response to a request. A model may think for two minutes, and then be silent for 30 seconds. Who
 * leaves the stream ends the request at once, and with it what the model works at.
 */
export const events = (
  request: HttpClientRequest.HttpClientRequest
): Stream.Stream<Sse.ServerSentEvent, TokenError, HttpClient.HttpClient> =>
  Stream.unwrap(Effect.map(
    HttpClient.HttpClient,
    (client) => Sse.stream(client, request, { firstByte: "2 minutes", silence: "30 seconds" })
  )).pipe(Stream.catchTag("NotAnEventStream", ({ response }) => Stream.fromEffect(refusal(response))))

/** One event as JSON of a certain form. */
export const decode = <A, I>(schema: Schema.Schema<A, I>) => {
  const parse = Schema.decode(Schema.parseJson(schema))
  return (text: string): Effect.Effect<A, ModelError> =>
    Effect.mapError(
      parse(text),
      () => new ModelError({ type: "unexpected_event", message: "an event is not what was agreed", status: 200 })
    )
}

const Refusal = Schema.Struct({ error: Schema.Struct({ type: Schema.String, message: Schema.String }) })

const refusal = (response: HttpClientResponse): Effect.Effect<never, ModelError> =>
  Effect.flatMap(
    Effect.orElseSucceed(
      Effect.flatMap(response.json, Schema.decodeUnknown(Refusal)),
      () => ({ error: { type: "unknown", message: "the service does not say why" } })
    ),
    ({ error }) => new ModelError({ ...error, status: response.status })
  )
