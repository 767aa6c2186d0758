import * as Cookies from "@effect/platform/Cookies"
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Redirects from "../../src/Redirects.js"
import { MockHttp } from "../../src/testing/index.js"

type Client = HttpClient.HttpClient.With<HttpClientError | "refused">
type Wrapper = (client: Client) => Client

/** What a wrapper added to the requests at each URL, in order; `-` for nothing. */
type Seen = ReadonlyArray<readonly [url: string, value: string]>

const routes = {
  "same origin": ["http://a.test/1", "http://a.test/2"],
  "another origin": ["http://a.test/1", "http://b.test/2"],
  "away and back": ["http://a.test/1", "http://b.test/2", "http://a.test/3"],
  "away, on, and back": ["http://a.test/1", "http://b.test/2", "http://b.test/3", "http://a.test/4"]
} as const

const network = (urls: ReadonlyArray<string>) =>
  MockHttp.layer(MockHttp.stubs(urls.map((url, i) =>
    i + 1 < urls.length
      ? MockHttp.on("GET", url, { status: 302, headers: { location: urls[i + 1] } })
      : MockHttp.on("GET", url, { status: 200 })
  )))

const run = (client: Wrapper, urls: ReadonlyArray<string>, first = urls[0]) =>
  Effect.gen(function*() {
    const outcome = yield* Effect.either(client(yield* HttpClient.HttpClient).get(first))
    return { outcome, requests: (yield* MockHttp.MockHttp).requests }
  }).pipe(Effect.provide(network(urls)))

const seen = (requests: ReadonlyArray<MockHttp.Request>, header: string): Seen =>
  requests.map(({ headers, url }) => [url, headers[header] ?? "-"])

const follow: Wrapper = Redirects.follow()

/** The same wrapper below the redirects, above them, and above with others between. */
const positions = (wrapper: Wrapper): Record<string, Wrapper> => ({
  inside: (client) => follow(wrapper(client)),
  outside: (client) => wrapper(follow(client)),
  "outside, behind other wrappers": (client) =>
    wrapper(
      follow(client).pipe(
        HttpClient.tapRequest(() => Effect.void),
        HttpClient.transformResponse(Effect.tap(() => Effect.void)),
        HttpClient.filterStatusOk
      )
    ),
  "inside, behind a transform": (client) => follow(HttpClient.transform(wrapper(client), (send) => send)),
  "inside, with a retry around the redirects": (client) => HttpClient.retry(follow(wrapper(client)), { times: 1 }),
  "inside another redirects": (client) => follow(follow(wrapper(client))),
  "between two redirects": (client) => follow(wrapper(follow(client)))
})

describe("Redirects.follow and the mappers of the caller", () => {
  for (const [route, urls] of Object.entries(routes)) {
    const isAllowed = (i: number) => urls.slice(0, i + 1).every((url) => url.startsWith("http://a.test"))

    describe(route, () => {
      const bearer: Wrapper = HttpClient.mapRequest(HttpClientRequest.bearerToken("secret"))
      for (const [position, client] of Object.entries(positions(bearer))) {
        it.effect(`a bearer token ${position} goes to its own origin alone, and never comes back`, () =>
          Effect.gen(function*() {
            const { requests } = yield* run(client, urls)
            assert.deepStrictEqual(
              seen(requests, "authorization"),
              urls.map((url, i) => [url, isAllowed(i) ? "Bearer secret" : "-"] as const)
            )
          }))
      }

      let signatures = 0
      const signer: Wrapper = HttpClient.mapRequestEffect((request) =>
        Effect.sync(() => HttpClientRequest.setHeader(request, "x-signature", `${request.url} #${++signatures}`))
      )
      for (const [position, client] of Object.entries(positions(signer))) {
        it.effect(`a signer ${position} signs each hop of its origin anew, for the URL that is requested`, () =>
          Effect.gen(function*() {
            signatures = 0
            const { requests } = yield* run(client, urls)
            const signed = seen(requests, "x-signature")
            assert.deepStrictEqual(
              signed.map(([, value]) => value.split(" ")[0]),
              urls.map((url, i) => isAllowed(i) ? url : "-")
            )
            const made = signed.filter(([, value]) => value !== "-")
            assert.strictEqual(new Set(made.map(([, value]) => value)).size, made.length)
          }))
      }

      const base: Wrapper = HttpClient.mapRequest(HttpClientRequest.prependUrl("http://a.test"))
      for (const [position, client] of Object.entries(positions(base))) {
        it.effect(`a base URL ${position} is put before the first URL alone`, () =>
          Effect.gen(function*() {
            const { requests } = yield* run(client, urls, "/1")
            assert.deepStrictEqual(requests.map(({ url }) => url), [...urls])
          }))
      }

      const refused = urls[1]
      const guards: Record<string, Wrapper> = {
        mapRequestEffect: HttpClient.mapRequestEffect((request) =>
          request.url === refused ? Effect.fail("refused" as const) : Effect.succeed(request)
        ),
        tapRequest: HttpClient.tapRequest((request) =>
          request.url === refused ? Effect.fail("refused" as const) : Effect.void
        )
      }
      for (const [name, guard] of Object.entries(guards)) {
        for (const [position, client] of Object.entries(positions(guard))) {
          it.effect(`a guard by ${name} ${position} stops the hop that it refuses`, () =>
            Effect.gen(function*() {
              const { outcome, requests } = yield* run(client, urls)
              assert.deepStrictEqual(outcome._tag === "Left" ? outcome.left : "followed", "refused")
              assert.notInclude(requests.map(({ url }) => url), refused)
            }))
        }
      }

      it.effect("a caller's own headers: what is not known to be harmless stays at home", () =>
        Effect.gen(function*() {
          const secrets = ["authorization", "cookie", "x-api-key", "x-auth-token", "referer"]
          const all = [...secrets, "proxy-authorization", "accept", "x-listed"]
          const headers = Object.fromEntries(all.map((name) => [name, "value"]))
          const { requests } = yield* run(
            (client) =>
              Redirects.follow(client, { allowHeaders: ["X-Listed"] }).pipe(
                HttpClient.mapRequestInput(HttpClientRequest.setHeaders(headers))
              ),
            urls
          )
          for (const name of secrets) {
            assert.deepStrictEqual(
              seen(requests, name).map(([, value]) => value),
              urls.map((_, i) => isAllowed(i) ? "value" : "-"),
              name
            )
          }
          // No origin gets it, not even the first one.
          assert.isTrue(seen(requests, "proxy-authorization").every(([, value]) => value === "-"))
          for (const name of ["accept", "x-listed"]) {
            assert.isTrue(seen(requests, name).every(([, value]) => value === "value"), name)
          }
        }))
    })
  }

  it.effect("cookies that a redirect sets are sent on the next hop, by withCookiesRef inside and outside", () =>
    Effect.gen(function*() {
      const expectations = [
        MockHttp.on("GET", "http://a.test/login", {
          status: 302,
          headers: { location: "/home", "set-cookie": "session=1; Path=/" }
        }),
        MockHttp.on("GET", "http://a.test/home", { status: 200 })
      ]
      for (const inside of [true, false]) {
        const requests = yield* Effect.gen(function*() {
          const client = yield* HttpClient.HttpClient
          const ref = yield* Ref.make(Cookies.empty)
          yield* (inside
            ? Redirects.follow(HttpClient.withCookiesRef(client, ref))
            : HttpClient.withCookiesRef(Redirects.follow(client), ref)).get("http://a.test/login")
          return (yield* MockHttp.MockHttp).requests
        }).pipe(Effect.provide(MockHttp.layer(MockHttp.stubs(expectations))))
        // Outside, the platform looks at the last response alone.
        assert.strictEqual(requests[1].headers["cookie"], inside ? "session=1" : undefined)
      }
    }))

  it.effect("a scope around the redirects ends the body that they led to", () =>
    Effect.gen(function*() {
      const client = HttpClient.withScope(Redirects.follow(yield* HttpClient.HttpClient))
      const scope = yield* Scope.make()
      const response = yield* Scope.extend(client.get("http://a.test/1"), scope)
      yield* Scope.close(scope, Exit.void)
      const error = yield* Effect.flip(response.text)
      assert.strictEqual((error.cause as { readonly _tag: string })._tag, "BodyAbandoned")
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on("GET", "http://a.test/1", { status: 302, headers: { location: "/2" } }),
      MockHttp.on("GET", "http://a.test/2", { body: Stream.concat(Stream.make("half"), Stream.never) })
    ]))))

  it.effect("a retry below runs the mappers of both sides for each attempt of a hop", () =>
    Effect.gen(function*() {
      let tokens = 0
      const token: Wrapper = HttpClient.mapRequestEffect((request) =>
        Effect.sync(() => HttpClientRequest.setHeader(request, "x-token", String(++tokens)))
      )
      const client = (yield* HttpClient.HttpClient).pipe(
        HttpClient.filterStatus((status) => status < 500),
        HttpClient.retry({ times: 3 }),
        Redirects.follow(),
        token
      )
      yield* client.get("http://a.test/1")
      const { requests } = yield* MockHttp.MockHttp
      assert.deepStrictEqual(seen(requests, "x-token"), [
        ["http://a.test/1", "1"],
        ["http://a.test/2", "2"],
        ["http://a.test/2", "3"]
      ])
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on("GET", "http://a.test/1", { status: 302, headers: { location: "/2" } }),
      MockHttp.on("GET", "http://a.test/2", { status: 503 }, { status: 200 })
    ]))))
})
