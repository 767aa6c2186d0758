import * as PlatformCookies from "@effect/platform/Cookies"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/TestClock"
import { readFileSync } from "node:fs"
import * as ContentCoding from "../../src/ContentCoding.js"
import * as Cookies from "../../src/Cookies.js"
import * as Credentials from "../../src/Credentials.js"
import * as Deadline from "../../src/Deadline.js"
import * as Redirects from "../../src/Redirects.js"
import * as Retry from "../../src/Retry.js"
import { MockHttp } from "../../src/testing/index.js"

// One call over two hops with two attempts each. Each row of the table in docs/client.md is held to what it says.

const network = MockHttp.layer([
  MockHttp.on(
    "PUT",
    "http://a.test/1",
    { status: 503, headers: { "set-cookie": "tried=1; Path=/" } },
    { status: 307, headers: { location: "/2", "set-cookie": "moved=1; Path=/" } }
  ),
  MockHttp.on("PUT", "http://a.test/2", { status: 503 }, { status: 200, headers: { "set-cookie": "last=1; Path=/" } })
])

type Client = HttpClient.HttpClient.With<unknown>
type Wrap = (client: Client) => Client

const times = { call: 1, hop: 2, attempt: 4 }

const request = HttpClientRequest.bodyText(HttpClientRequest.put("http://a.test/1"), "x".repeat(2000))

/** Sends the request through wrappers, the first of them innermost; what was received. */
const send = (...wrappers: ReadonlyArray<Wrap>) =>
  Effect.gen(function*() {
    const bare: Client = yield* HttpClient.HttpClient
    const fiber = yield* Effect.fork(
      Effect.either(wrappers.reduce((client, wrap) => wrap(client), bare).execute(request))
    )
    yield* TestClock.adjust("1 minute")
    const outcome = yield* Fiber.join(fiber)
    const { requests } = yield* MockHttp.MockHttp
    return { outcome, response: Either.getOrUndefined(outcome), requests }
  }).pipe(Effect.provide(network))

const retry: Wrap = (client) => Retry.safely(client, { base: 0 })
const follow: Wrap = (client) => Redirects.follow(client)

/** Counts what a wrapper that sees requests sees, with `counter` at each position in the pipe. */
const counted = (counter: (count: () => void) => Wrap, position: (here: Wrap) => ReadonlyArray<Wrap>) =>
  Effect.gen(function*() {
    let count = 0
    yield* send(...position(counter(() => count++)))
    return count
  })

const below = (here: Wrap) => [here, retry, follow]
const between = (here: Wrap) => [retry, here, follow]
const above = (here: Wrap) => [retry, follow, here]

const noting = (count: () => void) => (request: HttpClientRequest.HttpClientRequest) => {
  count()
  return request
}

const cookiesOf = (requests: ReadonlyArray<MockHttp.Request>) => requests.map(({ headers }) => headers["cookie"])

/** By the beginning of the row's first cell. */
const rows: Readonly<Record<string, Effect.Effect<void, unknown>>> = {
  "`Deadline.within`": Effect.gen(function*() {
    const left: Array<number> = []
    const client: Wrap = HttpClient.tapRequest(() => Effect.map(Deadline.remaining, (rest) => left.push(rest)))
    yield* send(client, retry, follow, Deadline.within("10 seconds"))
    assert.strictEqual(left.length, times.attempt)
    assert.isTrue(left.every((rest) => rest <= 10_000))
  }),
  "`Redirects.follow`": Effect.gen(function*() {
    let asked = 0
    const { response } = yield* send(retry, (client) =>
      Redirects.follow(client, {
        onRedirect: (next) =>
          Effect.sync(() => {
            asked++
            return { _tag: "Some", value: next } as never
          })
      }))
    assert.strictEqual(asked, times.hop - 1)
    assert.strictEqual(response === undefined ? 0 : Redirects.history(response).length, times.hop - 1)
  }),
  "`Retry.safely`, `HttpClient.retry`, `HttpClient.retryTransient`": Effect.gen(function*() {
    const { response } = yield* send(retry, follow)
    assert.strictEqual(Retry.attempts(response).length, times.attempt / times.hop)
    const status: Wrap = HttpClient.filterStatus((status) => status < 500)
    assert.strictEqual((yield* send(status, HttpClient.retry({ times: 3 }), follow)).requests.length, times.attempt)
    const transient: Wrap = (client) => HttpClient.retryTransient(client, { times: 3 })
    assert.strictEqual((yield* send(transient, follow)).requests.length, times.attempt)
  }),
  "`HttpClient.filterStatusOk`": Effect.gen(function*() {
    const counter = (count: () => void): Wrap => HttpClient.transformResponse(Effect.tap(() => Effect.sync(count)))
    assert.strictEqual(yield* counted(counter, below), times.attempt)
    assert.strictEqual(yield* counted(counter, above), times.call)
    const caught = (count: () => void): Wrap => (client) =>
      HttpClient.filterStatus(client, (status) => status < 500).pipe(
        HttpClient.catchAll((error) => Effect.zipRight(Effect.sync(count), Effect.fail(error)))
      )
    assert.strictEqual(yield* counted(caught, below), 2)
  }),
  "`HttpClient.mapRequest`": Effect.gen(function*() {
    const counters: ReadonlyArray<(count: () => void) => Wrap> = [
      (count) => HttpClient.mapRequest(noting(count)),
      (count) => HttpClient.mapRequestEffect((request) => Effect.sync(() => noting(count)(request))),
      (count) => HttpClient.tapRequest(() => Effect.sync(count))
    ]
    for (const counter of counters) {
      for (const position of [below, between, above]) {
        assert.strictEqual(yield* counted(counter, position), times.attempt)
      }
    }
  }),
  "`HttpClient.mapRequestInput`": Effect.gen(function*() {
    const { requests } = yield* send(
      retry,
      follow,
      HttpClient.mapRequestInput(HttpClientRequest.setHeader("x-in", "1"))
    )
    assert.deepStrictEqual(requests.map(({ headers }) => headers["x-in"]), Array(times.attempt).fill("1"))
  }),
  "`HttpClient.withCookiesRef` before": Effect.gen(function*() {
    const ref = yield* Ref.make(PlatformCookies.empty)
    const { requests } = yield* send(HttpClient.withCookiesRef(ref), retry, follow)
    assert.deepStrictEqual(cookiesOf(requests), [undefined, "tried=1", "tried=1; moved=1", "tried=1; moved=1"])
  }),
  "`HttpClient.withCookiesRef` after": Effect.gen(function*() {
    const ref = yield* Ref.make(PlatformCookies.empty)
    const { requests } = yield* send(retry, follow, HttpClient.withCookiesRef(ref))
    assert.deepStrictEqual(cookiesOf(requests), Array(times.attempt).fill(undefined))
    assert.strictEqual(PlatformCookies.toCookieHeader(yield* ref), "last=1")
  }),
  "`HttpClient.transform`": Effect.gen(function*() {
    const counter = (count: () => void): Wrap =>
      HttpClient.transform((effect) => Effect.zipRight(Effect.sync(count), effect))
    assert.strictEqual(yield* counted(counter, below), times.attempt)
    assert.strictEqual(yield* counted(counter, between), times.hop)
    assert.strictEqual(yield* counted(counter, above), times.call)
  }),
  "`Cookies.withJar`": Effect.gen(function*() {
    const jar = yield* Cookies.make()
    const { requests } = yield* send(Cookies.withJar(jar), retry, follow)
    assert.deepStrictEqual(cookiesOf(requests), [undefined, "tried=1", "tried=1; moved=1", "tried=1; moved=1"])
  }),
  "`ContentCoding.encode`": Effect.gen(function*() {
    const seen: Array<string> = []
    const signer: Credentials.Credential = {
      authorize: (request) =>
        Effect.sync(() => {
          seen.push(`${request.headers["content-encoding"]} ${request.headers["cookie"] ?? "-"}`)
          return request
        })
    }
    const encoder: ContentCoding.Encoder = {
      name: "half",
      encodeSync: (bytes) => bytes.subarray(0, bytes.length / 2),
      encode: (stream) => stream
    }
    const { requests } = yield* send(
      Credentials.withCredentials({ "http://a.test": signer }),
      (client) => ContentCoding.encode(client, encoder),
      Cookies.withJar(yield* Cookies.make()),
      retry,
      follow
    )
    assert.deepStrictEqual(seen, ["half -", "half tried=1", "half tried=1; moved=1", "half tried=1; moved=1"])
    assert.isTrue(requests.every(({ body }) => body.length === 1000))
  }),
  "`Credentials.withCredentials`": Effect.gen(function*() {
    let count = 0
    const signer: Credentials.Credential = {
      authorize: (request) =>
        Effect.sync(() => HttpClientRequest.setHeader(request, "authorization", `${++count} ${request.headers["x-a"]}`))
    }
    const { requests } = yield* send(
      Credentials.withCredentials({ "http://a.test": signer }),
      retry,
      follow,
      HttpClient.mapRequest(HttpClientRequest.setHeader("x-a", "a"))
    )
    assert.deepStrictEqual(requests.map(({ headers }) => headers["authorization"]), ["1 a", "2 a", "3 a", "4 a"])
  }),
  "`ContentCoding.decode`": Effect.gen(function*() {
    const codec: ContentCoding.Codec = {
      names: ["own"],
      decodeSync: (bytes) => Either.right(bytes),
      decodeWhole: (bytes) => Effect.succeed(bytes),
      decode: (stream) => stream
    }
    const { requests } = yield* send((client) => ContentCoding.decode(client, [codec]), retry, follow)
    assert.deepStrictEqual(requests.map(({ headers }) => headers["accept-encoding"]), Array(times.attempt).fill("own"))
  }),
  "the pool and the wire": Effect.gen(function*() {
    assert.strictEqual((yield* send(retry, follow)).requests.length, times.attempt)
  })
}

describe("The table of docs/client.md", () => {
  const document = readFileSync(new URL("../../../../docs/client.md", import.meta.url), "utf8")
  const table = document.slice(document.indexOf("## Who sees what"))
  const written = [...table.matchAll(/^\| ((?!wrapper|---).+?) \|/gm)].map(([, first]) => first)

  it("has no row without a test, and no test without a row", () => {
    const names = Object.keys(rows)
    assert.strictEqual(written.length, names.length)
    for (const row of written) assert.strictEqual(names.filter((name) => row.startsWith(name)).length, 1, row)
  })

  for (const [name, check] of Object.entries(rows)) it.effect(`${name} runs and sees as it says`, () => check)
})
