import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Reply, TestServer } from "@sluice/test-server"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Anthropic from "./llm/Anthropic.js"
import * as OpenAi from "./llm/OpenAi.js"
import * as replies from "./llm/replies.js"
import * as Tokens from "./llm/Tokens.js"

// Tokens as they come, from two services that this program runs itself: `node scripts/start.mjs examples llm`.

const words = ["The ", "gate ", "opens, ", "the ", "water ", "comes."]
const slowly = Reply.set({ delayBetweenChunks: "150 millis" })

const print = (part: Tokens.Part) =>
  part._tag === "Text"
    ? Effect.sync(() => process.stdout.write(part.text))
    : Console.log(`\n${part.inputTokens} tokens in, ${part.outputTokens} out`)

const program = Effect.gen(function*() {
  const { url } = yield* TestServer.make({
    replies: {
      "POST /v1/chat/completions": [replies.tooMany("1"), slowly(replies.chatCompletions(words))],
      "POST /v1/messages": slowly(replies.messages(words))
    }
  })
  const question = { model: "test", prompt: "What happens?", maxTokens: 100 }
  const service = { url, apiKey: Redacted.make("no key is needed here") }
  yield* Stream.runForEach(OpenAi.stream(service, question), print)
  yield* Stream.runForEach(Anthropic.stream(service, question), print)
}).pipe(Effect.scoped, Effect.provide(Tokens.Client))

NodeRuntime.runMain(program)
