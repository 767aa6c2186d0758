import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Tokens from "./Tokens.js"

/** The events that matter here; there are more, and there will be others. */
const Event = Schema.Union(
  Schema.Struct({
    type: Schema.Literal("message_start"),
    message: Schema.Struct({ usage: Schema.Struct({ input_tokens: Schema.Number }) })
  }),
  Schema.Struct({
    type: Schema.Literal("content_block_delta"),
    delta: Schema.Struct({ type: Schema.String, text: Schema.optional(Schema.String) })
  }),
  Schema.Struct({
    type: Schema.Literal("message_delta"),
    usage: Schema.Struct({ output_tokens: Schema.Number })
  }),
  Schema.Struct({
    type: Schema.Literal("error"),
    error: Schema.Struct({ type: Schema.String, message: Schema.String })
  })
)

const decode = Tokens.decode(Event)
const known = new Set(["message_start", "content_block_delta", "message_delta", "error"])

/** The response of a service with Anthropic's messages, as it comes. */
export const stream = (
  service: { readonly url: string; readonly apiKey: Redacted.Redacted },
  { maxTokens, model, prompt }: Tokens.Question
): Stream.Stream<Tokens.Part, Tokens.TokenError, HttpClient.HttpClient> =>
  Stream.suspend(() => {
    let inputTokens = 0
    const partsOf = (event: typeof Event.Type): Effect.Effect<ReadonlyArray<Tokens.Part>, Tokens.ModelError> => {
      switch (event.type) {
        case "message_start":
          inputTokens = event.message.usage.input_tokens
          return Effect.succeed([])
        case "content_block_delta":
          return Effect.succeed(event.delta.text === undefined ? [] : [{ _tag: "Text", text: event.delta.text }])
        case "message_delta":
          return Effect.succeed([{ _tag: "Usage", inputTokens, outputTokens: event.usage.output_tokens }])
        case "error":
          // The status was sent before the model failed.
          return new Tokens.ModelError({ ...event.error, status: 200 })
      }
    }
    const request = HttpClientRequest.post(`${service.url}/v1/messages`).pipe(
      HttpClientRequest.setHeaders({
        "x-api-key": Redacted.value(service.apiKey),
        "anthropic-version": "2023-06-01"
      }),
      HttpClientRequest.bodyUnsafeJson({
        model,
        max_tokens: maxTokens,
        messages: [{ role: "user", content: prompt }],
        stream: true
      })
    )
    return Tokens.events(request).pipe(
      Stream.takeWhile(({ event }) => event !== "message_stop"),
      Stream.filter(({ event }) => known.has(event)),
      Stream.mapEffect(({ data }) => Effect.flatMap(decode(data), partsOf)),
      Stream.flattenIterables
    )
  })
