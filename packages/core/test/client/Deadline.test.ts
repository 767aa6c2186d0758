import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Deadline from "../../src/Deadline.js"
import * as Redirects from "../../src/Redirects.js"
import * as Retry from "../../src/Retry.js"
import { MockHttp } from "../../src/testing/index.js"
import * as Timeouts from "../../src/Timeouts.js"
import * as TransportError from "../../src/TransportError.js"
import { fakeClient } from "./fakeClient.js"

const slow = (delay: number, reply: MockHttp.Reply) => () => Effect.delay(Effect.succeed(reply), delay)

const stalls = Stream.concat(Stream.make("half"), Stream.never)

const network = MockHttp.layer(
  MockHttp.stubs([
    MockHttp.on("GET", "http://a.test/slow", slow(3000, { status: 200 })),
    MockHttp.on("GET", "http://a.test/moved", slow(3000, { status: 302, headers: { location: "/slow" } })),
    MockHttp.on("GET", "http://a.test/far", slow(3000, { status: 302, headers: { location: "/stalls" } })),
    MockHttp.on("GET", "http://a.test/stalls", { body: stalls }),
    MockHttp.on("GET", "http://a.test/busy", { status: 503, headers: { "retry-after": "4" } }),
    MockHttp.on("GET", "http://a.test/once", slow(3000, { status: 200 }), { status: 204 })
  ]),
  { timeouts: { read: "Infinity" } }
)

/** How a call of this client ends, and when. */
const run = <E>(
  wrap: (client: HttpClient.HttpClient) => HttpClient.HttpClient.With<E>,
  path: string,
  region: <A, E, R>(call: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> = (call) => call
) =>
  Effect.gen(function*() {
    const call = wrap(yield* HttpClient.HttpClient).get(`http://a.test${path}`).pipe(
      region,
      Effect.tap((response) => response.text),
      Effect.map(({ status }): number | string => status),
      Effect.catchAll((error) =>
        Effect.succeed(
          TransportError.fromHttpClientError(error).pipe((_) => _._tag === "Some" ? _.value._tag : "other")
        )
      ),
      Effect.timed,
      Effect.fork
    )
    const fiber = yield* call
    yield* TestClock.adjust("1 hour")
    const [time, outcome] = yield* Fiber.join(fiber)
    return [outcome, Duration.toMillis(time)] as const
  }).pipe(Effect.provide(network))

const whole = (client: HttpClient.HttpClient) => client.pipe(Retry.safely(), Redirects.follow())

describe("Deadline.within", () => {
  it.effect.each<readonly [string, string, number | string, number]>([
    ["one request", "/slow", "TotalTimeout", 2000],
    ["a redirect", "/moved", "TotalTimeout", 5000],
    ["a body after a redirect", "/far", "TotalTimeout", 5000],
    ["a pause that would be too long", "/busy", 503, 0]
  ])("holds over %s", ([, path, outcome, time]) =>
    Effect.gen(function*() {
      const total = path === "/busy" ? 3000 : time
      assert.deepStrictEqual(yield* run((client) => whole(client).pipe(Deadline.within(total)), path), [outcome, time])
    }))

  it.effect("holds over what mappers wait for, and between two deadlines the earlier one ends the call", () =>
    Effect.gen(function*() {
      const stuck = HttpClient.mapRequestEffect(() => Effect.never)
      assert.deepStrictEqual(
        yield* run((client) => client.pipe(stuck, Deadline.within(7000), Deadline.within(2000)), "/slow"),
        ["TotalTimeout", 2000]
      )
      assert.deepStrictEqual(
        yield* run((client) => client.pipe(stuck, Deadline.within(2000), Deadline.within(7000)), "/slow"),
        ["TotalTimeout", 2000]
      )
    }))

  it.effect("timeouts.total of a region holds over redirects, retries and the body too", () =>
    Effect.gen(function*() {
      const region = Timeouts.locally({ total: 5000 })
      assert.deepStrictEqual(yield* run(whole, "/moved", region), ["TotalTimeout", 5000])
      assert.deepStrictEqual(yield* run(whole, "/far", region), ["TotalTimeout", 5000])
    }))

  it.effect("timeouts.total of a client or of a region holds over what mappers wait for, with nothing around the client", () =>
    Effect.gen(function*() {
      const stuck = HttpClient.mapRequestEffect(() => Effect.never)
      const late = HttpClient.mapRequestEffect((request) => Effect.as(Effect.sleep(1500), request))
      const region = Timeouts.locally({ total: 2000 })
      for (const mapper of [stuck, late]) {
        assert.deepStrictEqual(yield* run(mapper, "/slow", region), ["TotalTimeout", 2000])
      }
      assert.deepStrictEqual(yield* run(late, "/busy", region), [503, 1500])
      const layer = MockHttp.layer(MockHttp.stubs([MockHttp.on("GET", "http://a.test/", { status: 204 })]), {
        timeouts: { total: 2000 }
      })
      const ofClient = Effect.flatMap(HttpClient.HttpClient, (client) => stuck(client).get("http://a.test/"))
      const fiber = yield* ofClient.pipe(Effect.provide(layer), Effect.flip, Effect.fork)
      yield* TestClock.adjust("2 seconds")
      const error = yield* Fiber.join(fiber)
      assert.include(error.message, "The request took longer than 2s in all")
      assert.include(error.message, "it was not ready to be sent")
    }))

  it.effect("says what remains", () =>
    Effect.gen(function*() {
      const left: Array<number> = [yield* Deadline.remaining]
      const note = HttpClient.tapRequest(() => Effect.map(Deadline.remaining, (millis) => left.push(millis)))
      yield* run((client) => client.pipe(note, Redirects.follow(), Deadline.within(10_000)), "/moved")
      assert.deepStrictEqual(left, [Infinity, 10_000, 7000])
    }))

  it("does not take a total that is no duration", () => {
    assert.throws(() => Deadline.within("soon" as never)(fakeClient().client), "total is \"soon\"")
  })
})

describe("Retry.safely with a limit for each attempt", () => {
  it.effect("retries an attempt that takes longer", () =>
    Effect.gen(function*() {
      const [outcome, time] = yield* run(Retry.safely({ attempt: 1000 }), "/once")
      assert.strictEqual(outcome, 204)
      assert.isAtLeast(time, 1000)
      assert.isAtMost(time, 1100)
    }))

  it.effect("counts what mappers wait for", () =>
    Effect.gen(function*() {
      const stuck = HttpClient.mapRequestEffect(() => Effect.never)
      const retrying = Retry.safely({ attempt: 1000, base: 0, times: 1 })
      for (
        const wrap of [
          (client: HttpClient.HttpClient) => client.pipe(stuck, retrying),
          (client: HttpClient.HttpClient) => client.pipe(retrying, stuck)
        ]
      ) {
        assert.deepStrictEqual(yield* run(wrap, "/slow"), ["TotalTimeout", 2000])
      }
    }))

  it.effect("and stops at the deadline", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* run((client) => client.pipe(Retry.safely({ attempt: 1000, base: 0 }), Deadline.within(2500)), "/slow"),
        ["TotalTimeout", 2500]
      )
    }))

  it.effect("which ends the call from outside, and says what was tried by then", () =>
    Effect.gen(function*() {
      const client = (yield* HttpClient.HttpClient).pipe(
        HttpClient.mapRequestEffect((request) => Effect.as(Effect.sleep(300), request)),
        Retry.safely({ attempt: 1000, base: 0 }),
        Deadline.within(2500)
      )
      const fiber = yield* Effect.fork(Effect.flip(client.get("http://a.test/slow")))
      yield* TestClock.adjust("2500 millis")
      const error = yield* Fiber.join(fiber)
      const tried = "tried 3 times: TotalTimeout (0 to 1000 ms), TotalTimeout (1000 to 2000 ms), " +
        "TotalTimeout (2000 to 2500 ms)"
      assert.include(String(error), tried)
      assert.deepStrictEqual(Retry.attempts(error).map(({ endedAt }) => endedAt), [1000, 2000, 2500])
    }).pipe(Effect.provide(network)))
})
