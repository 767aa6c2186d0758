import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Tokens from "./Tokens.js"

const Event = Schema.Struct({
  choices: Schema.Array(Schema.Struct({
    delta: Schema.Struct({ content: Schema.optional(Schema.NullOr(Schema.String)) })
  })),
  usage: Schema.optional(Schema.NullOr(
    Schema.Struct({ prompt_tokens: Schema.Number, completion_tokens: Schema.Number })
  ))
})

const decode = Tokens.decode(Event)

/** The response of a service with OpenAI's chat completions, as it comes. */
export const stream = (
  service: { readonly url: string; readonly apiKey: Redacted.Redacted },
  { maxTokens, model, prompt }: Tokens.Question
): Stream.Stream<Tokens.Part, Tokens.TokenError, HttpClient.HttpClient> => {
  const request = HttpClientRequest.post(`${service.url}/v1/chat/completions`).pipe(
    HttpClientRequest.bearerToken(service.apiKey),
    HttpClientRequest.bodyUnsafeJson({
      model,
      max_tokens: maxTokens,
      messages: [{ role: "user", content: prompt }],
      stream: true,
      stream_options: { include_usage: true }
    })
  )
  return Tokens.events(request).pipe(
    Stream.takeWhile(({ data }) => data !== "[DONE]"),
    Stream.mapEffect(({ data }) => Effect.map(decode(data), partsOf)),
    Stream.flattenIterables
  )
}

const partsOf = ({ choices, usage }: typeof Event.Type): ReadonlyArray<Tokens.Part> => [
  ...choices.flatMap(({ delta }) => delta.content ? [{ _tag: "Text", text: delta.content } as const] : []),
  ...(usage
    ? [{ _tag: "Usage", inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens } as const]
    : [])
]
