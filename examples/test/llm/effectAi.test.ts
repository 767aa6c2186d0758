import { AnthropicClient, AnthropicLanguageModel } from "@effect/ai-anthropic"
import { OpenAiClient, OpenAiLanguageModel } from "@effect/ai-openai"
import * as LanguageModel from "@effect/ai/LanguageModel"
import { assert, describe, it } from "@effect/vitest"
import { Gate, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as replies from "../../src/llm/replies.js"
import * as Tokens from "../../src/llm/Tokens.js"

// The clients of @effect/ai need nothing of their own: they are given Sluice's layer as their HttpClient.

const apiKey = Redacted.make("key")

describe.each([
  {
    name: "@effect/ai-openai",
    route: "POST /responses",
    reply: replies.responses,
    model: (apiUrl: string) =>
      OpenAiLanguageModel.layer({ model: "gpt-4o" }).pipe(Layer.provide(OpenAiClient.layer({ apiKey, apiUrl })))
  },
  {
    name: "@effect/ai-anthropic",
    route: "POST /v1/messages",
    reply: replies.messages,
    model: (apiUrl: string) =>
      AnthropicLanguageModel.layer({ model: "claude-3-5-haiku-latest" }).pipe(
        Layer.provide(AnthropicClient.layer({ apiKey, apiUrl }))
      )
  }
])("$name over HttpClientLayer", ({ model, reply, route }) => {
  const parts = (url: string) =>
    LanguageModel.streamText({ prompt: "how is the water?" }).pipe(
      Stream.provideLayer(Layer.provide(model(url), Tokens.Client))
    )

  it.scopedLive("streams tokens as they come, after a 429 too, and says what they cost", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({
        replies: { [route]: [replies.tooMany("0"), reply(["cold", gate, ", and clear"])] }
      })
      const words: Array<string> = []
      let usage: unknown
      yield* Stream.runForEach(parts(server.url), (part) =>
        Effect.suspend(() => {
          if (part.type === "text-delta") words.push(part.delta)
          if (part.type === "finish") usage = [part.usage.inputTokens, part.usage.outputTokens]
          return words.length === 1 ? gate.open : Effect.void
        }))
      assert.deepStrictEqual(words, ["cold", ", and clear"])
      assert.deepStrictEqual(usage, [7, 3])
      assert.strictEqual((yield* server.requests).length, 2)
    }))

  it.scopedLive("an interrupt closes the connection, so that the service stops", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const server = yield* TestServer.make({ replies: { [route]: reply(["cold", gate]) } })
      const fiber = yield* Effect.fork(Stream.runDrain(parts(server.url)))
      yield* gate.awaitHeld(1)
      yield* Fiber.interrupt(fiber)
      yield* server.awaitStats(({ openConnections }) => openConnections === 0)
    }))
})
