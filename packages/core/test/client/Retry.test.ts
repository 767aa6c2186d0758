import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { inspect } from "node:util"
import * as Idempotency from "../../src/Idempotency.js"
import * as Retry from "../../src/Retry.js"
import * as TransportError from "../../src/TransportError.js"
import { fakeClient, type Reply } from "./fakeClient.js"

const url = "http://127.0.0.1/"
const origin = "http://127.0.0.1"
const ended = (safeToRetry: boolean) =>
  new TransportError.ReadError({
    origin,
    phase: "headers",
    written: true,
    safeToRetry,
    reason: "Ended",
    detail: "ended"
  })

/** How many attempts a request takes when time is no object, and its outcome. */
const attempts = (request: HttpClientRequest.HttpClientRequest, options: Retry.Options, ...replies: Array<Reply>) =>
  Effect.gen(function*() {
    const { client, requests } = fakeClient(...replies)
    const fiber = yield* Effect.fork(Effect.either(Retry.safely(client, options).execute(request)))
    yield* TestClock.adjust("1 hour")
    const outcome = yield* Fiber.join(fiber)
    return [requests.length, outcome._tag === "Right" ? outcome.right.status : outcome.left._tag] as const
  })

describe("Retry.safely", () => {
  it("does not take options that make no sense", () => {
    const { client } = fakeClient()
    const invalid: ReadonlyArray<readonly [Retry.Options, string]> = [
      [{ times: NaN }, "Retry.times is NaN: expected a whole number of at least 0"],
      [{ times: -1 }, "times is -1"],
      [{ base: NaN }, "base is NaN: expected a duration"],
      [{ cap: -5 }, "cap is -5"],
      [{ maxRetryAfter: "soon" as never }, "maxRetryAfter is \"soon\""]
    ]
    for (const [options, words] of invalid) assert.throws(() => Retry.safely(client, options), words)
    assert.throws(() => Retry.makeBudget({ ratio: NaN }), "ratio is NaN")
    assert.throws(() => Retry.makeBudget({ reserve: -1 }), "reserve is -1")
    Retry.safely(client, {
      times: Infinity,
      base: 0,
      cap: "1 minute",
      budget: Retry.makeBudget({ ratio: 0, reserve: 0 })
    })
  })

  it.effect("retries what failed before the server could act on it, until it succeeds", () =>
    Effect.gen(function*() {
      const refused = new TransportError.ConnectError({ origin, reason: "Refused", detail: "refused" })
      assert.deepStrictEqual(
        yield* attempts(HttpClientRequest.post(url), {}, refused, refused, { status: 201 }),
        [3, 201]
      )
    }))

  it.effect("ends after so many times, with the last failure", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* attempts(HttpClientRequest.get(url), { times: 2 }, ended(true)),
        [3, "RequestError"]
      )
      assert.deepStrictEqual(yield* attempts(HttpClientRequest.get(url), { times: 2 }, { status: 503 }), [3, 503])
    }))

  it.effect("does not retry what the server may have acted on", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* attempts(HttpClientRequest.post(url), {}, ended(false)), [1, "RequestError"])
      assert.deepStrictEqual(yield* attempts(HttpClientRequest.post(url), {}, { status: 503 }), [1, 503])
    }))

  it.effect("retries a POST that has an Idempotency-Key, of its own or of its call", () =>
    Effect.gen(function*() {
      const keyed = HttpClientRequest.post(url, { headers: { "idempotency-key": "k" } })
      assert.deepStrictEqual(yield* attempts(keyed, {}, { status: 503 }, { status: 200 }), [2, 200])
      assert.deepStrictEqual(
        yield* attempts(HttpClientRequest.post(url), {}, { status: 503 }, { status: 200 }).pipe(Idempotency.withKey),
        [2, 200]
      )
    }))

  it.effect("does not retry with a body that can be read once", () =>
    Effect.gen(function*() {
      const streamed = HttpClientRequest.bodyStream(HttpClientRequest.put(url), Stream.make(new Uint8Array(1)))
      assert.deepStrictEqual(yield* attempts(streamed, {}, { status: 503 }), [1, 503])
    }))

  it.effect("does not retry what is safe and helps nothing", () =>
    Effect.gen(function*() {
      const details = { origin, phase: "body", written: true, safeToRetry: true } as const
      const code = "InvalidStatusLine"
      for (
        const error of [
          new TransportError.RemoteProtocolError({ ...details, code, detail: "no status line" }),
          new TransportError.ResponseTooLarge({ ...details, maxResponseSize: 1 }),
          new TransportError.TotalTimeout({ ...details, timeout: 1 })
        ]
      ) {
        assert.deepStrictEqual(yield* attempts(HttpClientRequest.get(url), {}, error), [1, "RequestError"])
      }
    }))

  it.effect("does not add load where the pool has too much", () =>
    Effect.gen(function*() {
      const closed = new TransportError.PoolClosed({ origin })
      assert.deepStrictEqual(yield* attempts(HttpClientRequest.get(url), {}, closed), [1, "RequestError"])
    }))

  it.effect("waits as long as Retry-After says, in seconds or until a date", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 0, 1))
      for (const after of ["7", "Thu, 01 Jan 2026 00:00:07 GMT"]) {
        yield* TestClock.setTime(Date.UTC(2026, 0, 1))
        const { client, requests } = fakeClient({ status: 429, headers: { "retry-after": after } }, { status: 200 })
        const fiber = yield* Effect.fork(Retry.safely(client).get(url))
        yield* TestClock.adjust("6999 millis")
        assert.strictEqual(requests.length, 1, after)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
      }
    }))

  it.effect("accepts the response of a server that asks for too much patience", () =>
    Effect.gen(function*() {
      const patience: Reply = { status: 503, headers: { "retry-after": "3600" } }
      assert.deepStrictEqual(yield* attempts(HttpClientRequest.get(url), {}, patience), [1, 503])
    }))

  it.effect("pauses for a random time that grows up to a bound", () =>
    Effect.gen(function*() {
      const { client, requests } = fakeClient({ status: 503 })
      const policy = { times: 6, base: "1 second", cap: "4 seconds" } as const
      const fiber = yield* Effect.fork(Retry.safely(client, policy).get(url))
      yield* TestClock.adjust("1 second")
      assert.isAtLeast(requests.length, 2, "the first pause is at most one base")
      yield* TestClock.adjust("22 seconds")
      assert.strictEqual(requests.length, 7, "1 + 2 + 4 + 4 + 4 + 4 seconds at most, of which one has passed")
      yield* Fiber.join(fiber)
    }))

  it.effect("runs mappers on both sides for each attempt, and earlier recovery before it retries", () =>
    Effect.gen(function*() {
      const { client, requests } = fakeClient({ status: 503 }, ended(true), { status: 503 }, { status: 200 })
      let tokens = 0
      let recovered = 0
      const fresh = (name: string) =>
        HttpClient.mapRequestEffect((request) =>
          Effect.sync(() => HttpClientRequest.setHeader(request, name, String(++tokens)))
        )
      const fiber = yield* client.pipe(
        fresh("x-inside"),
        HttpClient.catchAll((error) => Effect.suspend(() => ++recovered === 1 ? client.get(url) : Effect.fail(error))),
        Retry.safely(),
        fresh("x-outside")
      ).get(url).pipe(Effect.fork)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
      assert.strictEqual(recovered, 1)
      // The third request is the recovery's own.
      assert.deepStrictEqual(requests.map(({ headers }) => [headers["x-inside"], headers["x-outside"]]), [
        ["1", "2"],
        ["3", "4"],
        [undefined, undefined],
        ["5", "6"]
      ])
    }))

  it.effect("retries a response that filterStatusOk has made an error of, and fails with the last", () =>
    Effect.gen(function*() {
      for (
        const [replies, expected] of [[[{ status: 503 }, { status: 200 }], 200], [[{ status: 503 }], 503]] as const
      ) {
        const { client, requests } = fakeClient(...replies)
        const fiber = yield* client.pipe(HttpClient.filterStatusOk, Retry.safely({ times: 1 })).get(url).pipe(
          Effect.either,
          Effect.fork
        )
        yield* TestClock.adjust("1 hour")
        const outcome = yield* Fiber.join(fiber)
        assert.strictEqual(requests.length, 2)
        const response = outcome._tag === "Right"
          ? outcome.right
          : outcome.left._tag === "ResponseError"
          ? outcome.left.response
          : undefined
        assert.strictEqual(response?.status, expected)
      }
    }))

  it.effect("sends a request that Expect was refused for again at once, without it", () =>
    Effect.gen(function*() {
      const { client, requests } = fakeClient({ status: 417 }, { status: 200 })
      const request = HttpClientRequest.post(url, { headers: { expect: "100-continue", "x-kept": "1" } })
      const response = yield* Retry.safely(client).execute(HttpClientRequest.bodyText(request, "content"))
      assert.strictEqual(response.status, 200)
      assert.isUndefined(requests[1].headers["expect"])
      assert.strictEqual(requests[1].headers["x-kept"], "1")
      assert.strictEqual(requests[1].body._tag, "Uint8Array")
      assert.deepStrictEqual(yield* attempts(HttpClientRequest.post(url), {}, { status: 417 }), [1, 417])
    }))

  it.effect("retries what came too early, whatever the method", () =>
    Effect.gen(function*() {
      const replies = [{ status: 425 }, { status: 200 }]
      assert.deepStrictEqual(yield* attempts(HttpClientRequest.post(url), {}, ...replies), [2, 200])
    }))

  it.effect("retries a POST that is refused by a status which says that nothing was done", () =>
    Effect.gen(function*() {
      const { client, requests } = fakeClient({ status: 429, headers: { "retry-after": "0" } }, { status: 529 }, {
        status: 200
      })
      const outcome = Retry.safely(client, { base: 0, refusals: [429, 529] }).post("http://a.test/")
      assert.strictEqual((yield* outcome).status, 200)
      assert.strictEqual(requests.length, 3)
      const other = fakeClient({ status: 429 }, { status: 200 })
      assert.strictEqual((yield* Retry.safely(other.client, { base: 0 }).post("http://a.test/")).status, 429)
    }))

  it.effect("does not send a raw body twice that can be read once", () =>
    Effect.gen(function*() {
      const live = HttpBody.raw(new ReadableStream({ start: (controller) => controller.close() }))
      const request = HttpClientRequest.setBody(HttpClientRequest.put(url), live)
      assert.deepStrictEqual(yield* attempts(request, {}, { status: 503 }), [1, 503])
    }))

  it.effect("records what was tried, when, and how it ended", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1000)
      const events: Array<unknown> = []
      const { client } = fakeClient({ status: 503, headers: { "retry-after": "2" } }, ended(true))
      const error = yield* Effect.flip(Retry.safely(client, { times: 1 }).get(url)).pipe(
        Effect.zipLeft(Effect.map(Effect.currentSpan, (span) => events.push(...(span as any).events))),
        Effect.withSpan("call"),
        Effect.fork,
        Effect.tap(() => TestClock.adjust("2 seconds")),
        Effect.flatMap(Fiber.join)
      )
      assert.deepStrictEqual(Retry.attempts(error), [
        { startedAt: 1000, endedAt: 1000, outcome: 503 },
        { startedAt: 3000, endedAt: 3000, outcome: "ReadError" }
      ])
      assert.deepStrictEqual(events.map((event) => (event as any)[2]), [{ attempt: 1, outcome: 503, pause: 2000 }])
      const tried = "tried 2 times: 503 (0 to 0 ms), ReadError (2000 to 2000 ms)"
      for (
        const text of [
          error.message,
          String(error),
          error.stack ?? "",
          inspect(error),
          Cause.pretty(Cause.fail(error))
        ]
      ) assert.include(text, tried)
      assert.strictEqual(error.message.split(tried).length, 2)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(error)).attempts, Retry.attempts(error))
      assert.deepStrictEqual(Retry.attempts(yield* Retry.safely(fakeClient({ status: 200 }).client).get(url)), [])
    }))

  it.effect("stops when the budget of the client is spent, and goes on when there have been good responses", () =>
    Effect.gen(function*() {
      const { client, requests } = fakeClient({ status: 503 })
      const retrying = Retry.safely(client, { base: 0, budget: Retry.makeBudget({ ratio: 0.5, reserve: 2 }) })
      yield* Effect.repeatN(retrying.get(url), 19)
      // 2 in reserve, and half a retry for each of 20 requests.
      assert.strictEqual(requests.length, 20 + 2 + 10)
    }))
})

describe("Retry.parseRetryAfter", () => {
  it("takes seconds and dates, and nothing else", () => {
    const now = Date.UTC(2026, 0, 1)
    assert.strictEqual(Retry.parseRetryAfter("0", now), 0)
    assert.strictEqual(Retry.parseRetryAfter(" 120 ", now), 120_000)
    assert.strictEqual(Retry.parseRetryAfter("Thu, 01 Jan 2026 00:01:00 GMT", now), 60_000)
    assert.strictEqual(Retry.parseRetryAfter("Wed, 31 Dec 2025 23:00:00 GMT", now), 0)
    // All three forms of a date (RFC 9110 §5.6.7), wherever this runs.
    for (
      const date of ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
    ) {
      assert.strictEqual(Retry.parseRetryAfter(date, Date.UTC(1994, 10, 6, 8, 49, 30)), 7000, date)
    }
    assert.isAbove(Retry.parseRetryAfter("12345678901", now)!, 1e12)
    for (const wrong of [undefined, "", "-1", "1.5", "soon"]) {
      assert.strictEqual(Retry.parseRetryAfter(wrong, now), undefined, wrong)
    }
  })
})
