import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { Connector } from "@sluice/core/Connector"
import * as Cookies from "@sluice/core/Cookies"
import * as Credentials from "@sluice/core/Credentials"
import type { Origin } from "@sluice/core/Origin"
import * as Retry from "@sluice/core/Retry"
import { MemoryNetwork } from "@sluice/core/testing"
import * as Timeouts from "@sluice/core/Timeouts"
import * as TransportError from "@sluice/core/TransportError"
import { HttpClientLayer } from "@sluice/node"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"

type Replies = Readonly<Record<string, ReadonlyArray<MemoryNetwork.Reply>>>

/** A client of the layer with these options, what it sends, and a way to let it finish. */
const run = <A, E>(
  options: HttpClientLayer.ClientOptions,
  replies: Replies,
  use: (client: HttpClient.HttpClient) => Effect.Effect<A, E>,
  totals: Readonly<Record<string, number>> = {}
) =>
  Effect.gen(function*() {
    const seen: Array<MemoryNetwork.Request> = []
    const network = MemoryNetwork.layer({
      respond: (request) => {
        const url = `${request.connection.origin.href}${request.target}`
        const earlier = seen.filter(({ connection, target }) => `${connection.origin.href}${target}` === url).length
        seen.push(request)
        if (url.endsWith("/silent")) return Effect.never
        const known = replies[url] ?? [{ status: 404 }]
        return Effect.succeed(known[Math.min(earlier, known.length - 1)])
      }
    })
    const connector = Layer.map(network, (context) =>
      Context.add(context, Connector, {
        ...Context.get(context, Connector),
        ...totalsBy(totals)
      }))
    const fiber = yield* Effect.flatMap(HttpClient.HttpClient, use).pipe(
      Effect.provide(Layer.provide(HttpClientLayer.layerWithoutConnector(options), connector)),
      Effect.either,
      Effect.fork
    )
    // The list of public suffixes is loaded in real time.
    yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 0)))
    yield* Effect.promise(() => import("@sluice/core/Cookies"))
    yield* TestClock.adjust("1 hour")
    const outcome = yield* Fiber.join(fiber)
    return {
      outcome,
      requests: seen.map(({ connection, headers, method, target }) => ({
        method,
        url: `${connection.origin.href}${target}`,
        authorization: headers["authorization"],
        cookie: headers["cookie"],
        guard: headers["x-guard"]
      }))
    }
  })

/** Origins that have a total of their own, in milliseconds. */
const totalsBy = (totals: Readonly<Record<string, number>>): Pick<Connector, "routes"> => {
  if (Object.keys(totals).length === 0) return {}
  const timeoutsOf = ({ href }: Origin) => href in totals ? { total: totals[href] } : undefined
  const route = (origin: Origin): Origin => ({
    ...origin,
    route: { isForward: false, limitKey: origin.key, limits: undefined, timeouts: timeoutsOf(origin) }
  })
  return { routes: { route, varies: false, timeoutsOf } }
}

const hops: Replies = {
  "http://a.test/1": [
    { status: 503, headers: { "set-cookie": "tried=1; Path=/" } },
    { status: 302, headers: { location: "/2", "set-cookie": "moved=2; Path=/" } }
  ],
  "http://a.test/2": [{ status: 503 }, { status: 302, headers: { location: "http://b.test/" } }],
  "http://b.test/": [{ status: 302, headers: { location: "http://a.test/end" } }],
  "http://a.test/end": [{ status: 200 }],
  "http://a.test/busy": [{ status: 503 }],
  "http://a.test/login": [{ status: 200, body: "t1" }, { status: 200, body: "t2" }],
  "http://a.test/once": [{ status: 401 }, { status: 200 }]
}

const budget = Retry.makeBudget({ reserve: 1000 })

const stuck: Credentials.Credential = { authorize: () => Effect.never }

const everything: HttpClientLayer.ClientOptions = {
  redirects: true,
  retry: { base: 0 },
  cookies: true,
  credentials: { "http://a.test": Credentials.bearer(Redacted.make("t")) }
}

describe("What goes around the client, as options of the layer", () => {
  it.effect("nothing of it is on by default", () =>
    Effect.gen(function*() {
      const { outcome, requests } = yield* run({}, hops, (client) =>
        Effect.forEach(["/1", "/1", "/2"], (path) =>
          client.get(`http://a.test${path}`)))
      assert.deepStrictEqual(
        outcome._tag === "Right" && outcome.right.map(({ status }) =>
          status
        ),
        [503, 302, 503]
      )
      assert.isTrue(requests.every(({ authorization, cookie }) => authorization === undefined && cookie === undefined))
    }))

  it.effect("is in the documented order: every attempt of every hop has cookies, guards and credentials of its own", () =>
    Effect.gen(function*() {
      let guarded = 0
      const { outcome, requests } = yield* run(
        everything,
        hops,
        (client) =>
          HttpClient.mapRequest(client, (request) => HttpClientRequest.setHeader(request, "x-guard", String(++guarded)))
            .get("http://a.test/1")
      )
      assert.strictEqual(outcome._tag === "Right" && outcome.right.status, 200)
      assert.deepStrictEqual(
        requests.map(({ authorization, cookie, guard, url }) => [url, authorization, cookie, guard]),
        [
          ["http://a.test/1", "Bearer t", undefined, "1"],
          ["http://a.test/1", "Bearer t", "tried=1", "2"],
          ["http://a.test/2", "Bearer t", "tried=1; moved=2", "3"],
          ["http://a.test/2", "Bearer t", "tried=1; moved=2", "4"],
          ["http://b.test/", undefined, undefined, undefined],
          // What was stripped does not come back; the jar knows for itself whose cookies they are.
          ["http://a.test/end", undefined, "tried=1; moved=2", undefined]
        ]
      )
    }))

  it.effect("credentials may be an Effect: it logs in by the same client, which has none", () =>
    Effect.gen(function*() {
      const credentials = Effect.gen(function*() {
        const client = yield* HttpClient.HttpClient
        const login = client.post("http://a.test/login").pipe(
          Effect.flatMap((response) => response.text),
          Effect.map(Redacted.make)
        )
        return { "http://a.test": yield* Credentials.tokenSource(login) }
      })
      const { outcome, requests } = yield* run({ credentials }, hops, (client) => client.get("http://a.test/once"))
      assert.strictEqual(outcome._tag === "Right" && outcome.right.status, 200)
      assert.deepStrictEqual(requests.map(({ authorization, url }) => [url, authorization]), [
        ["http://a.test/login", undefined],
        ["http://a.test/once", "Bearer t1"],
        ["http://a.test/login", undefined],
        ["http://a.test/once", "Bearer t2"]
      ])
    }))

  it.effect("HttpClient.withScope reaches through all of it", () =>
    Effect.gen(function*() {
      const jar = yield* Cookies.make()
      yield* jar.store(new URL("http://a.test/"), ["own=1"])
      const endless: Replies = { "http://a.test/": [{ body: Stream.concat(Stream.make("a"), Stream.never) }] }
      const { outcome } = yield* run({ ...everything, cookies: { jar } }, endless, (client) =>
        Effect.flatMap(
          Effect.scoped(HttpClient.withScope(client).get("http://a.test/")),
          (response) => Effect.flip(response.text)
        ))
      assert.strictEqual(
        outcome._tag === "Right" && Option.getOrThrow(TransportError.fromHttpClientError(outcome.right))._tag,
        "BodyAbandoned"
      )
    }))

  it.effect("a jar of one's own", () =>
    Effect.gen(function*() {
      const jar = yield* Cookies.make()
      yield* jar.store(new URL("http://a.test/"), ["own=1"])
      const { requests } = yield* run({ cookies: { jar } }, hops, (client) => client.get("http://a.test/end"))
      assert.deepStrictEqual(requests.map(({ cookie }) => cookie), ["own=1"])
    }))

  it.effect.each(
    [
      ["of the layer", {}, 5000],
      ["of a region, which replaces it", { total: "20 seconds" }, 20_000]
    ] as const
  )("timeouts.total %s holds over all attempts", ([, region, total]) =>
    Effect.gen(function*() {
      const budget = Retry.makeBudget({ reserve: 1000 })
      const options = {
        retry: { times: 1000, base: "1 second", cap: "1 second", budget },
        timeouts: { total: "5 seconds" }
      } as const
      const { outcome } = yield* run(options, hops, (client) =>
        client.get("http://a.test/busy").pipe(Timeouts.locally(region)))
      const attempts = outcome._tag === "Right" ? Retry.attempts(outcome.right) : []
      const took = attempts[attempts.length - 1].endedAt - attempts[0].startedAt
      assert.isAbove(took, total - 1000)
      assert.isAtMost(took, total)
    }))

  it.effect.each<
    readonly [
      string,
      HttpClientLayer.ClientOptions,
      "busy" | "stalls" | "silent" | "moved" | "away",
      number,
      Timeouts.Timeouts?
    ]
  >([
    ["a request", {}, "stalls", 30_000],
    ["all attempts", { retry: { times: 100, base: "1 second", cap: "1 second", budget } }, "busy", 30_000],
    ["attempts that are longer", { retry: { attempt: "1 minute" } }, "stalls", 30_000],
    ["attempts, each with its end", { retry: { attempt: "7 seconds", times: 9, base: 0 } }, "silent", 30_000],
    ["redirects", { redirects: true }, "moved", 30_000],
    ["a token that does not come", { credentials: { "http://a.test": stuck } }, "stalls", 30_000],
    ["a call where the layer has no total", { redirects: true, retry: true, timeouts: {} }, "moved", 30_000],
    ["a call where the layer has less", { redirects: true, retry: true, timeouts: { total: 5000 } }, "moved", 30_000],
    ["a hop to another origin, which ends sooner", { redirects: true }, "away", 10_000],
    ["nothing where a region has its own", { redirects: true }, "moved", 60_000, { total: 60_000 }],
    ["nothing where a region has less", { redirects: true }, "moved", 2000, { total: 2000 }]
  ])("the total of an origin holds over %s", ([, options, path, expected, region = {}]) =>
    Effect.gen(function*() {
      const stalls = { body: Stream.concat(Stream.make("a"), Stream.never) }
      const replies: Replies = {
        "http://a.test/busy": [{ status: 503 }],
        "http://a.test/stalls": [stalls],
        "http://a.test/moved": [{ status: 302, headers: { location: "/stalls" } }],
        "http://a.test/away": [{ status: 302, headers: { location: "http://b.test/stalls" } }],
        "http://b.test/stalls": [stalls]
      }
      const timeouts = { total: "2 minutes", ...options.timeouts, read: "Infinity", headers: "Infinity" } as const
      for (const delay of [undefined, 3000]) {
        const { outcome } = yield* run(
          {
            ...options,
            timeouts: options.timeouts?.total === undefined && options.timeouts ? { read: "Infinity" } : timeouts
          },
          replies,
          (client) => {
            const mapped = delay === undefined
              ? client
              : HttpClient.mapRequestEffect(client, (request) => Effect.delay(Effect.succeed(request), delay))
            return mapped.get(`http://a.test/${path}`).pipe(
              Effect.flatMap((response) => response.status === 503 ? Effect.succeed("503") : response.text),
              Effect.merge,
              Timeouts.locally(region),
              Effect.timed
            )
          },
          { "http://a.test": 30_000, "http://b.test": 10_000 }
        )
        if (outcome._tag === "Left") return assert.fail("it has not come to its end")
        const [time, end] = outcome.right
        const took = Duration.toMillis(time)
        if (path === "busy") {
          assert.isAbove(took, expected - 3000)
          assert.isAtMost(took, expected)
        } else {
          const error = typeof end === "string" ? undefined : Option.getOrThrow(TransportError.fromHttpClientError(end))
          assert.deepInclude({ ...error }, { _tag: "TotalTimeout" })
          // The hop has its own from when it is sent.
          const hops = path === "away" ? 2 : 0
          assert.strictEqual(took, expected + hops * (delay ?? 0), `delay ${delay}`)
        }
      }
    }))

  it.effect("timeouts.total bounds the wait for a token too, and what follows it gets the rest", () =>
    Effect.gen(function*() {
      const credentials = Effect.map(Credentials.tokenSource(Effect.never), (never) => ({ "http://a.test": never }))
      const { outcome, requests } = yield* run(
        { credentials, timeouts: { total: "5 seconds" } },
        hops,
        (client) => Effect.timed(Effect.flip(client.get("http://a.test/end")))
      )
      assert.deepStrictEqual(requests, [])
      assert.strictEqual(
        outcome._tag === "Right" &&
          Option.getOrThrow(TransportError.fromHttpClientError(outcome.right[1]))._tag,
        "TotalTimeout"
      )
    }))

  it.effect.each([
    { redirects: { maxRedirect: 3 } },
    { redirects: "yes" },
    { retry: { times: -1 } },
    { cookies: { jar: {} } },
    { cookies: { maxCookies: 0 } },
    { credentials: "secret-token" },
    { credentials: { "http://a.test": "secret-token" } },
    { credentials: { "http://user:secret-token@a.test/path": Credentials.bearer(Redacted.make("x")) } }
  ])("what makes no sense is InvalidOptions, which shows no secret: %j", (options) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Layer.build(Layer.provide(HttpClientLayer.layerWithoutConnector(options as never), MemoryNetwork.layer()))
      )
      assert.strictEqual(error._tag, "InvalidOptions")
      assert.isTrue(error.message.startsWith(Object.keys(options)[0]), error.message)
      assert.notInclude(error.message, "secret")
    }).pipe(Effect.scoped))
})
