import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Idempotency from "../../src/Idempotency.js"
import * as Retry from "../../src/Retry.js"
import * as TransportError from "../../src/TransportError.js"
import { fakeClient, type Reply } from "./fakeClient.js"

const url = "http://127.0.0.1/"
const origin = "http://127.0.0.1"
const ended = (safeToRetry: boolean) =>
  new TransportError.ReadError({
    origin,
    phase: "head",
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
      [{ times: NaN }, "times is NaN: expected a number that is not negative"],
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

  it.effect("repeats what failed before the server could act on it, until it succeeds", () =>
    Effect.gen(function*() {
      const refused = new TransportError.ConnectError({ origin, reason: "Refused", detail: "refused" })
      assert.deepStrictEqual(
        yield* attempts(HttpClientRequest.post(url), {}, refused, refused, { status: 201 }),
        [3, 201]
      )
    }))

  it.effect("gives up after so many times, with the last failure", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* attempts(HttpClientRequest.get(url), { times: 2 }, ended(true)),
        [3, "RequestError"]
      )
      assert.deepStrictEqual(yield* attempts(HttpClientRequest.get(url), { times: 2 }, { status: 503 }), [3, 503])
    }))

  it.effect("does not repeat what the server may have acted on", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* attempts(HttpClientRequest.post(url), {}, ended(false)), [1, "RequestError"])
      assert.deepStrictEqual(yield* attempts(HttpClientRequest.post(url), {}, { status: 503 }), [1, 503])
    }))

  it.effect("repeats a POST that has an Idempotency-Key, of its own or of its call", () =>
    Effect.gen(function*() {
      const keyed = HttpClientRequest.post(url, { headers: { "idempotency-key": "k" } })
      assert.deepStrictEqual(yield* attempts(keyed, {}, { status: 503 }, { status: 200 }), [2, 200])
      assert.deepStrictEqual(
        yield* attempts(HttpClientRequest.post(url), {}, { status: 503 }, { status: 200 }).pipe(Idempotency.withKey),
        [2, 200]
      )
    }))

  it.effect("does not repeat a body that can be read once", () =>
    Effect.gen(function*() {
      const streamed = HttpClientRequest.bodyStream(HttpClientRequest.put(url), Stream.make(new Uint8Array(1)))
      assert.deepStrictEqual(yield* attempts(streamed, {}, { status: 503 }), [1, 503])
    }))

  it.effect("does not repeat what is safe and helps nothing", () =>
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

  it.effect("accepts the answer of a server that asks for too much patience", () =>
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

  it.effect("stops when the budget of the client is spent, and goes on when there have been good answers", () =>
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
    for (const wrong of [undefined, "", "-1", "1.5", "soon", "12345678901"]) {
      assert.strictEqual(Retry.parseRetryAfter(wrong, now), undefined, wrong)
    }
  })
})

describe("Idempotency.withKey", () => {
  it.effect("gives each run keys of its own, the same for the same request", () =>
    Effect.gen(function*() {
      const keys = Idempotency.withKey(currentKeys)
      const [first, again, other] = yield* keys
      assert.strictEqual(first, again)
      assert.notStrictEqual(first, other)
      assert.notStrictEqual((yield* keys)[0], first)
    }))
})

const currentKeys = Effect.map(FiberRef.get(Idempotency.current), (keys) => {
  assert.isDefined(keys)
  return [keys.keyFor("POST", "/a"), keys.keyFor("POST", "/a"), keys.keyFor("POST", "/b")] as const
})
