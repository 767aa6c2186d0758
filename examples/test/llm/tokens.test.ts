import { assert, describe, it } from "@effect/vitest"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Anthropic from "../../src/llm/Anthropic.js"
import * as OpenAi from "../../src/llm/OpenAi.js"
import * as replies from "../../src/llm/replies.js"
import * as Tokens from "../../src/llm/Tokens.js"

const question = { model: "test", prompt: "how is the water?", maxTokens: 100 }

describe.each([
  { name: "OpenAI", path: "/v1/chat/completions", stream: OpenAi.stream, reply: replies.chatCompletions },
  { name: "Anthropic", path: "/v1/messages", stream: Anthropic.stream, reply: replies.messages }
])("Tokens of a service shaped as $name's", ({ path, reply, stream }) => {
  const setup = (reply: Reply.Reply | ReadonlyArray<Reply.Reply>) =>
    Effect.map(
      TestServer.make({ replies: { [`POST ${path}`]: reply } }),
      (server) => ({ server, parts: stream({ url: server.url, apiKey: Redacted.make("key") }, question) })
    )

  it.scopedLive("come as they are sent, and then what they cost", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const { parts } = yield* setup(reply(["cold", gate, ", and", " clear"]))
      const seen: Array<Tokens.Part> = []
      yield* Stream.runForEach(parts, (part) =>
        Effect.suspend(() => {
          seen.push(part)
          // The second word is not sent before the first one is here.
          return seen.length === 1 ? gate.open : Effect.void
        }))
      assert.deepStrictEqual(seen, [
        { _tag: "Text", text: "cold" },
        { _tag: "Text", text: ", and" },
        { _tag: "Text", text: " clear" },
        { _tag: "Usage", inputTokens: 7, outputTokens: 3 }
      ])
    }).pipe(Effect.provide(Tokens.Client)))

  it.scopedLive("come after a 429 too, when the service says so", () =>
    Effect.gen(function*() {
      const { parts, server } = yield* setup([replies.tooMany("0"), replies.tooMany("0"), reply(["cold"])])
      assert.strictEqual(Chunk.size(yield* Stream.runCollect(parts)), 2)
      assert.strictEqual((yield* server.requests).length, 3)
    }).pipe(Effect.provide(Tokens.Client)))

  it.scopedLive("a refusal says why", () =>
    Effect.gen(function*() {
      const { parts, server } = yield* setup(
        Reply.json({ error: { type: "invalid_request_error", message: "no such model" } }, { status: 400 })
      )
      const error = yield* Effect.flip(Stream.runDrain(parts))
      assert.deepInclude(error, { _tag: "ModelError", status: 400, message: "no such model" })
      assert.strictEqual((yield* server.requests).length, 1)
    }).pipe(Effect.provide(Tokens.Client)))

  it.scopedLive("who leaves closes the connection, so that the service stops", () =>
    Effect.gen(function*() {
      const { parts, server } = yield* setup(reply(["cold", yield* Gate.make]))
      yield* Stream.runDrain(Stream.take(parts, 1))
      yield* server.awaitStats(({ openConnections }) => openConnections === 0)
    }).pipe(Effect.provide(Tokens.Client)))

  it.scopedLive("an interrupt does too", () =>
    Effect.gen(function*() {
      const gate = yield* Gate.make
      const { parts, server } = yield* setup(reply([gate]))
      const fiber = yield* Effect.fork(Stream.runDrain(parts))
      yield* gate.awaitHeld(1)
      yield* Fiber.interrupt(fiber)
      yield* server.awaitStats(({ openConnections }) => openConnections === 0)
    }).pipe(Effect.provide(Tokens.Client)))
})

describe("Anthropic", () => {
  it.scopedLive("may fail in the middle of its stream", () =>
    Effect.gen(function*() {
      const error = `event: error\ndata: ${
        JSON.stringify({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } })
      }\n\n`
      const server = yield* TestServer.make({
        replies: { "*": Reply.chunks([error], { headers: { "content-type": "text/event-stream" } }) }
      })
      const parts = Anthropic.stream({ url: server.url, apiKey: Redacted.make("key") }, question)
      assert.deepInclude(yield* Effect.flip(Stream.runDrain(parts)), { _tag: "ModelError", type: "overloaded_error" })
    }).pipe(Effect.provide(Tokens.Client)))
})
