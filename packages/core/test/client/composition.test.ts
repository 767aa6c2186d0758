import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Cookies from "../../src/Cookies.js"
import * as Credentials from "../../src/Credentials.js"
import * as Deadline from "../../src/Deadline.js"
import * as Redirects from "../../src/Redirects.js"
import * as Retry from "../../src/Retry.js"
import { MockHttp } from "../../src/testing/index.js"

/** Signs what it sees, and says how often it was asked. */
const signer = () => {
  let count = 0
  const credential: Credentials.Credential = {
    authorize: (request) =>
      Effect.sync(() => {
        const { cookie = "-", "x-guard": guard = "-" } = request.headers
        return HttpClientRequest.setHeader(request, "authorization", `#${++count} cookie ${cookie}, guard ${guard}`)
      })
  }
  return Credentials.withCredentials({ "http://a.test": credential })
}

const guarded = () => {
  let count = 0
  return HttpClient.mapRequestEffect((request) =>
    Effect.sync(() => HttpClientRequest.setHeader(request, "x-guard", String(++count)))
  )
}

describe("The wrappers in the order of docs/client.md", () => {
  const replies = [
    MockHttp.on(
      "GET",
      "http://a.test/1",
      { status: 503, headers: { "set-cookie": "tried=1; Path=/" } },
      { status: 302, headers: { location: "/2", "set-cookie": "moved=2; Path=/" } }
    ),
    MockHttp.on("GET", "http://a.test/2", { status: 503 }, { status: 302, headers: { location: "http://b.test/" } }),
    MockHttp.on("GET", "http://b.test/", { status: 200 })
  ]

  for (const where of ["innermost", "outermost"] as const) {
    it.effect(`each attempt of each hop is checked, recorded, guarded and signed anew, with the guard ${where}`, () =>
      Effect.gen(function*() {
        const jar = yield* Cookies.make()
        const guard = guarded()
        const pass = <E, R>(client: HttpClient.HttpClient.With<E, R>) => client
        const client = (yield* HttpClient.HttpClient).pipe(
          signer(),
          where === "innermost" ? guard : pass,
          Cookies.withJar(jar),
          Retry.safely({ base: 0 }),
          Redirects.follow(),
          Deadline.within("1 minute"),
          where === "outermost" ? guard : pass
        )
        const fiber = yield* Effect.fork(client.get("http://a.test/1"))
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
        const { requests } = yield* MockHttp.MockHttp
        assert.deepStrictEqual(requests.map(({ headers, url }) => [url, headers["authorization"] ?? "-"]), [
          ["http://a.test/1", "#1 cookie -, guard 1"],
          ["http://a.test/1", "#2 cookie tried=1, guard 2"],
          ["http://a.test/2", "#3 cookie tried=1; moved=2, guard 3"],
          ["http://a.test/2", "#4 cookie tried=1; moved=2, guard 4"],
          ["http://b.test/", "-"]
        ])
        assert.isUndefined(requests[4].headers["x-guard"])
        assert.isUndefined(requests[4].headers["cookie"])
      }).pipe(Effect.provide(MockHttp.layer(MockHttp.stubs(replies)))))
  }

  it.effect("filterStatusOk before Retry.safely makes the last 503 an error, after it the outcome is the same", () =>
    Effect.gen(function*() {
      const client = yield* HttpClient.HttpClient
      for (
        const wrapped of [
          Retry.safely(HttpClient.filterStatusOk(client), { times: 1, base: 0 }),
          HttpClient.filterStatusOk(Retry.safely(client, { times: 1, base: 0 }))
        ]
      ) {
        const fiber = yield* Effect.fork(Effect.flip(wrapped.get("http://a.test/busy")))
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "ResponseError")
      }
      assert.strictEqual((yield* MockHttp.MockHttp).requests.length, 4)
    }).pipe(Effect.provide(MockHttp.layer([MockHttp.on("GET", "http://a.test/busy", { status: 503 })]))))

  it.effect("transform sees a finished request where it stands; mapRequestInput is the caller's own request", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const note = (name: string) => <E, R>(client: HttpClient.HttpClient.With<E, R>) =>
        HttpClient.transform(client, (send, request) => {
          seen.push(`${name} ${request.url} ${request.headers["x-input"] ?? "-"}`)
          return send
        })
      const client = (yield* HttpClient.HttpClient).pipe(
        note("below"),
        Redirects.follow(),
        note("above"),
        HttpClient.mapRequestInput(HttpClientRequest.setHeader("x-input", "1"))
      )
      yield* client.get("http://a.test/1")
      assert.deepStrictEqual(seen, [
        "above http://a.test/1 1",
        "below http://a.test/1 1",
        "below http://a.test/2 1"
      ])
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on("GET", "http://a.test/1", { status: 302, headers: { location: "/2" } }),
      MockHttp.on("GET", "http://a.test/2", { status: 200 })
    ]))))
})
