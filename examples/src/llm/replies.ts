import { type Gate, Reply } from "@sluice/test-server"

// What the two services send, for tests and for a look without a key.

const eventStream = (pieces: ReadonlyArray<string | Gate.Gate>) =>
  Reply.chunks(pieces, { headers: { "content-type": "text/event-stream; charset=utf-8" } })

const event = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`
const named = (data: { readonly type: string; readonly [name: string]: unknown }) =>
  `event: ${data.type}\n${event(data)}`

/** The words of a response, with gates between them that hold what follows. */
export type Pieces = ReadonlyArray<string | Gate.Gate>

const words = (pieces: Pieces, toEvent: (word: string) => string) =>
  pieces.map((piece) => typeof piece === "string" ? toEvent(piece) : piece)

/** `POST /v1/chat/completions`. */
export const chatCompletions = (pieces: Pieces): Reply.Reply =>
  eventStream([
    ...words(
      pieces,
      (content) => event({ id: "c1", choices: [{ index: 0, delta: { content }, finish_reason: null }] })
    ),
    event({ id: "c1", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
    event({ id: "c1", choices: [], usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } }),
    "data: [DONE]\n\n"
  ])

/** `POST /v1/messages`. */
export const messages = (pieces: Pieces): Reply.Reply =>
  eventStream([
    named({
      type: "message_start",
      message: {
        id: "m1",
        type: "message",
        role: "assistant",
        content: [],
        model: "claude-test",
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 7, output_tokens: 1 }
      }
    }),
    named({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
    named({ type: "ping" }),
    ...words(pieces, (text) => named({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })),
    named({ type: "content_block_stop", index: 0 }),
    named(
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn", stop_sequence: null },
        usage: { output_tokens: 3 }
      } as never
    ),
    named({ type: "message_stop" })
  ])

/** `POST /v1/responses`, which `@effect/ai-openai` uses. */
export const responses = (pieces: Pieces): Reply.Reply => {
  let sequence = 0
  const numbered = (data: { readonly type: string; readonly [name: string]: unknown }) =>
    event({ ...data, sequence_number: sequence++ })
  const response = (status: string, usage: unknown) => ({
    id: "r1",
    object: "response",
    status,
    created_at: 1_700_000_000,
    error: null,
    incomplete_details: null,
    output: [],
    instructions: null,
    model: "gpt-4o",
    parallel_tool_calls: true,
    tools: [],
    tool_choice: "auto",
    metadata: {},
    temperature: 1,
    top_p: 1,
    usage
  })
  const message = (status: string) => ({ id: "o1", type: "message", role: "assistant", content: [], status })
  return eventStream([
    numbered({ type: "response.created", response: response("in_progress", null) }),
    numbered({ type: "response.output_item.added", output_index: 0, item: message("in_progress") }),
    ...words(
      pieces,
      (delta) =>
        numbered({ type: "response.output_text.delta", output_index: 0, content_index: 0, item_id: "o1", delta })
    ),
    numbered({ type: "response.output_item.done", output_index: 0, item: message("completed") }),
    numbered({
      type: "response.completed",
      response: response("completed", {
        input_tokens: 7,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 3,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 10
      })
    })
  ])
}

/** What both services say when there are too many requests. */
export const tooMany = (retryAfter: string): Reply.Reply =>
  Reply.json({ type: "error", error: { type: "rate_limit_error", message: "slow down" } }, {
    status: 429,
    headers: { "retry-after": retryAfter }
  })
