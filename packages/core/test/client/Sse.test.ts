import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as ContentCoding from "../../src/ContentCoding.js"
import * as Files from "../../src/Files.js"
import { InvalidOptions } from "../../src/InvalidOptions.js"
import * as JsonLines from "../../src/JsonLines.js"
import * as PooledHttpClient from "../../src/PooledHttpClient.js"
import * as Sse from "../../src/Sse.js"
import { MemoryNetwork, MockHttp, settle } from "../../src/testing/index.js"
import { ReadError } from "../../src/TransportError.js"

const bytes = (text: string) => new TextEncoder().encode(text)

/** The events of a text, cut into pieces of so many bytes. */
const parse = (text: string, size = Infinity, options?: Sse.DecodeOptions) => {
  const all = bytes(text)
  const pieces: Array<Uint8Array> = []
  for (let i = 0; i < all.length; i += size) pieces.push(all.subarray(i, Math.min(all.length, i + size)))
  return Stream.runCollect(Sse.decode(Stream.fromIterable(pieces), options)).pipe(Effect.map(Chunk.toReadonlyArray))
}

describe("Sse.decode", () => {
  it.effect.each<readonly [string, string, ReadonlyArray<readonly [event: string, data: string, id: string]>]>([
    ["lines of data", "data: a\ndata: b\n\n", [["message", "a\nb", ""]]],
    ["all ends of lines", "data: a\r\ndata: b\rdata: c\n\r\ndata: d\r\r", [["message", "a\nb\nc", ""], [
      "message",
      "d",
      ""
    ]]],
    ["types, which hold for one event", "event: x\ndata: a\n\ndata: b\n\n", [["x", "a", ""], ["message", "b", ""]]],
    ["ids, which stay", "id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", [
      ["message", "a", "7"],
      ["message", "b", "7"],
      ["message", "c", ""]
    ]],
    ["an id with NUL, which is ignored", "id: 7\nid: a\0b\ndata: a\n\n", [["message", "a", "7"]]],
    ["comments, and fields that it does not know", ": hi\nfoo: bar\ndata: a\n\n:\n\n", [["message", "a", ""]]],
    ["one space dropped, and not two", "data:  a\n\ndata:b\n\n", [["message", " a", ""], ["message", "b", ""]]],
    ["empty data", "data\n\ndata:\ndata:\n\n", [["message", "", ""], ["message", "\n", ""]]],
    ["nothing without data", "event: x\nid: 1\n\ndata: a\n\n", [["message", "a", "1"]]],
    ["no event that is not complete", "data: a\n\ndata: b\n", [["message", "a", ""]]],
    ["a byte order mark at the beginning alone", "\uFEFFdata: \uFEFFa\uFEFF\n\n", [["message", "\uFEFFa\uFEFF", ""]]],
    ["characters of several bytes", "data: grüße 😀\n\n", [["message", "grüße 😀", ""]]]
  ])("%s, cut anywhere", ([, text, expected]) =>
    Effect.gen(function*() {
      for (const size of [1, 2, 3, Infinity]) {
        const events = yield* parse(text, size)
        assert.deepStrictEqual(events.map(({ data, event, id }) => [event, data, id]), expected.map((_) => [..._]))
      }
    }))

  it.effect("gives an event whose last line ends with CR before more comes", () =>
    Effect.gen(function*() {
      const stream = Stream.concat(Stream.make(bytes("data: a\r\r")), Stream.never)
      assert.strictEqual((yield* Stream.runCollect(Stream.take(Sse.decode(stream), 1))).pipe(Chunk.size), 1)
    }))

  it.effect("bounds an event, of one line or of many, and gives those before it", () =>
    Effect.gen(function*() {
      for (const large of [`data: ${"a".repeat(200)}`, "data: aaaaaaaaaa\n".repeat(20), `: ${"c".repeat(200)}`]) {
        const seen: Array<string> = []
        const error = yield* Sse.decode(Stream.make(bytes(`data: ok\n\n${large}`)), { maxEventSize: 100 }).pipe(
          Stream.runForEach(({ data }) => Effect.sync(() => seen.push(data))),
          Effect.flip
        )
        assert.strictEqual(error._tag, "EventTooLarge")
        assert.deepStrictEqual(seen, ["ok"])
      }
    }))
})

const request = HttpClientRequest.get("http://a.test/events")
const headers = { "content-type": "text/event-stream; charset=utf-8" }
const broken = new ReadError({
  origin: "http://a.test",
  phase: "body",
  written: true,
  safeToRetry: true,
  reason: "Reset",
  detail: "reset"
})

describe("Sse.stream", () => {
  it.effect("goes on after the last id, with pauses by schedule and no shorter than the server says, until 204", () =>
    Effect.gen(function*() {
      const client = yield* HttpClient.HttpClient
      const { requests } = yield* MockHttp.MockHttp
      const seen: Array<string> = []
      const fiber = yield* Sse.stream(client, request, { reconnect: Schedule.spaced("1 second") }).pipe(
        Stream.runForEach(({ data }) => Effect.sync(() => seen.push(data))),
        Effect.fork
      )
      yield* settle
      assert.deepStrictEqual([seen, requests.length], [["a"], 1])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([seen, requests.length], [["a", "b"], 2])
      yield* TestClock.adjust("4999 millis")
      assert.strictEqual(requests.length, 2)
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(requests.map(({ headers }) => headers["last-event-id"]), [
        undefined,
        "1",
        "ü"
          .replace("ü", String.fromCharCode(0xc3, 0xbc))
      ])
      assert.strictEqual(requests[0].headers["accept"], "text/event-stream")
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on(
        "GET",
        "http://a.test/events",
        { headers, body: Stream.concat(Stream.make("id: 1\ndata: a\n\n", "data: lost"), Stream.fail(broken)) },
        { headers, body: "retry: 5000\nid: ü\ndata: b\n\n" },
        { status: 204 }
      )
    ]))))

  it.effect("ends as the last connection did when the schedule ends, and does not connect again without one", () =>
    Effect.gen(function*() {
      const client = yield* HttpClient.HttpClient
      const { requests } = yield* MockHttp.MockHttp
      const once = yield* Stream.runDrain(Sse.stream(client, request)).pipe(Effect.flip)
      assert.strictEqual(once._tag, "ResponseError")
      assert.strictEqual(requests.length, 1)
      const twice = yield* Stream.runDrain(Sse.stream(client, request, { reconnect: Schedule.recurs(1) })).pipe(
        Effect.flip
      )
      assert.strictEqual(twice._tag, "ResponseError")
      assert.strictEqual(requests.length, 3)
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on("GET", "http://a.test/events", { headers, body: Stream.fail(broken) })
    ]))))

  it.effect.each<MockHttp.Reply>([
    { status: 500, headers },
    { status: 200, json: {} },
    { status: 200 }
  ])("is not an event stream: %o", (reply) =>
    Effect.gen(function*() {
      const client = yield* HttpClient.HttpClient
      const options = { reconnect: Schedule.forever }
      const error = yield* Effect.flip(Stream.runDrain(Sse.stream(client, request, options)))
      assert.strictEqual(error._tag, "NotAnEventStream")
      assert.include(error.message, reply.status === 500 ? "status is 500" : "text/event-stream")
      assert.include(error.message, "(GET http://a.test/events)")
    }).pipe(Effect.provide(MockHttp.layer([MockHttp.on("GET", "http://a.test/events", reply)]))))

  it.effect("leaving abandons the response; silence is bounded separately from the first byte", () =>
    Effect.gen(function*() {
      const client = yield* HttpClient.HttpClient
      const network = yield* MemoryNetwork.MemoryNetwork
      yield* Stream.runDrain(Stream.take(Sse.stream(client, request), 1))
      // Whatever makes the events is to stop: no end is waited for.
      yield* settle
      assert.strictEqual(network.requests[0].state, "Cancelled")
      const silent = yield* Effect.fork(
        Effect.flip(Stream.runDrain(Sse.stream(client, request, { silence: "1 minute" })))
      )
      yield* TestClock.adjust("59 seconds")
      assert.isNull(silent.unsafePoll())
      yield* TestClock.adjust("1 seconds")
      assert.include((yield* Fiber.join(silent)).message, "60s")
    }).pipe(Effect.provide(
      PooledHttpClient.layer().pipe(Layer.provideMerge(MemoryNetwork.layer({
        respond: () => Effect.succeed({ headers, body: Stream.concat(Stream.make("data: a\n\n"), Stream.never) })
      })))
    )))
})

it.each<readonly [string, () => unknown]>([
  ["maxEventSize", () => Sse.decode(Stream.empty, { maxEventSize: 0 })],
  ["silence", () => Sse.stream({} as never, request, { silence: "soon" as never })],
  ["reconect", () => Sse.stream({} as never, request, { reconect: Schedule.forever } as never)],
  ["maxLineSize", () => JsonLines.decode(Stream.empty, { maxLineSize: NaN })],
  ["maxSize", () => ContentCoding.decode({} as never, [], { maxSize: -1 })],
  ["minSize", () => ContentCoding.encode({} as never, {} as never, { minSize: "1k" as never })],
  ["interval", () => Files.upload({} as never, request, { interval: -1 })]
])("an option that makes no sense is InvalidOptions: %s", (name, make) => {
  try {
    make()
    assert.fail("nothing was thrown")
  } catch (thrown) {
    assert.instanceOf(thrown, InvalidOptions)
    assert.include((thrown as InvalidOptions).message, name)
  }
})

it.effect("no last id is as good as an empty one", () =>
  Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    yield* Stream.runDrain(Sse.stream(client, request, { lastEventId: "" }))
    assert.isUndefined((yield* MockHttp.MockHttp).requests[0].headers["last-event-id"])
  }).pipe(Effect.provide(MockHttp.layer([MockHttp.on("GET", "http://a.test/events", { headers, body: "" })]))))

describe("The first byte of an event stream", () => {
  it.effect.each<readonly [firstByte: string | undefined, delay: string, outcome: string]>([
    ["2 minutes", "119 seconds", "a"],
    ["2 minutes", "121 seconds", "HeadersTimeout"],
    [undefined, "59 seconds", "a"],
    [undefined, "61 seconds", "HeadersTimeout"]
  ])(
    "has its own time, whatever the silence between events: %s, after %s",
    ([firstByte, delay, outcome]) =>
      Effect.gen(function*() {
        const client = yield* PooledHttpClient.PooledHttpClient
        const options = firstByte === undefined ? { silence: 1000 } : { silence: 1000, firstByte: firstByte as never }
        const fiber = yield* Sse.stream(client, request, options).pipe(
          Stream.runCollect,
          Effect.map((events) => Chunk.join(Chunk.map(events, ({ data }) => data), "")),
          Effect.catchAll((error) => Effect.succeed(error._tag)),
          Effect.fork
        )
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(yield* Fiber.join(fiber), outcome)
      }).pipe(Effect.provide(MockHttp.layer([
        MockHttp.on(
          "GET",
          "http://a.test/events",
          () => Effect.delay(Effect.succeed({ headers, body: "data: a\n\n" }), delay as never)
        )
      ])))
  )
})

describe("JsonLines.decode", () => {
  const decode = (text: string, options?: JsonLines.Options) =>
    JsonLines.decode(Stream.make(bytes(text.slice(0, 3)), bytes(text.slice(3))), options).pipe(
      Stream.runCollect,
      Effect.map(Chunk.toReadonlyArray)
    )

  it.effect("gives the value of each line, the last without an end too", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* decode("{\"a\":1}\n\r\n[2]\r\n\"\uFEFF\"\n3"), [{ a: 1 }, [2], "\uFEFF", 3])
    }))

  it.effect("says which line is wrong, and shows none of it", () =>
    Effect.gen(function*() {
      const notJson = yield* Effect.flip(decode("1\n{secret}\n"))
      assert.strictEqual(notJson.message, "Line 2 of the response is not JSON")
      const tooLarge = yield* Effect.flip(decode(`1\n"${"a".repeat(100)}"`, { maxLineSize: 50 }))
      assert.deepStrictEqual([tooLarge.reason, tooLarge.line], ["TooLarge", 2])
    }))
})
