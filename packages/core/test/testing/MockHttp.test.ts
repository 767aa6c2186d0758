import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it, layer, vi } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Idempotency from "../../src/Idempotency.js"
import * as PooledHttpClient from "../../src/PooledHttpClient.js"
import * as Retry from "../../src/Retry.js"
import { MockHttp, settle } from "../../src/testing/index.js"
import * as TransportError from "../../src/TransportError.js"

const get = (url: string) => Effect.flatMap(HttpClient.get(url), (response) => response.text)

/** What a test over this mock fails with, after its program has done this. */
const failureOf = <A, E>(
  live: Layer.Layer<HttpClient.HttpClient | MockHttp.MockHttp, E>,
  program: Effect.Effect<A, unknown, HttpClient.HttpClient | MockHttp.MockHttp>
) =>
  Effect.map(Effect.exit(Effect.provide(program, live)), (exit) => {
    assert.isTrue(Exit.isFailure(exit), "the test is green")
    const failures = Exit.isFailure(exit) ? [...Cause.defects(exit.cause)].filter(MockHttp.isMockFailure) : []
    return [...new Set(failures.map(({ message }) => message))].join("\n")
  })

const tagOf = (url: string) =>
  HttpClient.get(url).pipe(
    Effect.flatMap((response) => response.text),
    Effect.flip,
    Effect.map((error) => Option.getOrThrow(TransportError.fromHttpClientError(error))._tag)
  )

describe("MockHttp", () => {
  it.effect("responds by method and URL, with or without its query", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* get("https://api.test/a"), "whole")
      assert.strictEqual(yield* get("https://api.test/b?page=2"), "any page")
      assert.strictEqual(yield* get("https://api.test/c/7"), "{\"path\":\"https://api.test/c/7\"}")
      assert.strictEqual(yield* get("https://any.test/users/a%20b?x=1&x=2"), "a b 1,2")
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on("GET", "https://API.test:443/a", { body: "whole" }),
      MockHttp.on("GET", new URL("https://api.test/b"), { body: "any page" }),
      MockHttp.on("get", /\/c\/\d$/, (request) => ({ json: { path: request.url } })),
      MockHttp.on("*", "/users/:id", ({ params, query }) => ({ body: `${params.id} ${query.getAll("x").join(",")}` }))
    ]))))

  it.effect("looks for a pattern with g or y from the beginning each time", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 3; i++) assert.strictEqual(yield* get("https://api.test/a"), "found")
    }).pipe(Effect.provide(MockHttp.layer([MockHttp.on("GET", /https:.*\/a/gy, { body: "found" })]))))

  it.effect("responds by headers, query, body, JSON, form, Schema and predicate; of several the first that means it", () =>
    Effect.gen(function*() {
      const post = (body: unknown, headers = {}) =>
        HttpClientRequest.post("https://api.test/?tag=a&tag=b", { headers }).pipe(
          HttpClientRequest.bodyUnsafeJson(body),
          HttpClient.execute,
          Effect.flatMap((response) => response.text)
        )
      assert.strictEqual(yield* post({ a: 1, b: [2] }), "json")
      assert.strictEqual(yield* post({ id: 1 }), "schema")
      assert.strictEqual(yield* post({ id: "x" }), "not me, the next")
      assert.strictEqual(yield* post({ id: "x" }, { "X-Kind": "special" }), "header")
      const form = HttpClientRequest.post("https://api.test/").pipe(HttpClientRequest.bodyUrlParams({ user: "ada" }))
      assert.strictEqual(yield* Effect.flatMap(HttpClient.execute(form), (response) => response.text), "form")
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on({ headers: { "x-kind": /^spec/, "x-other": undefined }, query: { tag: "b" } }, { body: "header" }),
      MockHttp.on({ json: { b: [2], a: 1 } }, { body: "json" }),
      MockHttp.on({ schema: Schema.Struct({ id: Schema.Number }) }, { body: "schema" }),
      MockHttp.on({ form: { user: "ada" } }, { body: "form" }),
      MockHttp.on({ where: ({ body }) => body.includes("x"), method: ["PUT", "POST"] }, { body: "not me, the next" })
    ]))))

  it.effect("gives several responses in turn", () =>
    Effect.gen(function*() {
      const client = Retry.safely(yield* HttpClient.HttpClient)
      const fiber = yield* Effect.fork(client.get("https://api.test/"))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
      assert.strictEqual((yield* MockHttp.MockHttp).requests.length, 2)
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on("GET", "https://api.test/", { status: 503, headers: { "retry-after": "2" } }, { status: 200 })
    ]))))

  it.effect("remembers what it was sent, and what it gave", () =>
    Effect.gen(function*() {
      yield* HttpClientRequest.post("https://api.test/orders").pipe(
        HttpClientRequest.bodyUnsafeJson({ item: 1 }),
        HttpClient.execute,
        Idempotency.withKey
      )
      const { history, requests: [request] } = yield* MockHttp.MockHttp
      assert.strictEqual(request.body, "{\"item\":1}")
      assert.deepEqual(request.json, { item: 1 })
      assert.strictEqual(request.headers["content-type"], "application/json")
      assert.isDefined(request.headers["idempotency-key"])
      assert.deepEqual(history.map(({ outcome }) => outcome), [{ _tag: "Replied", reply: { status: 201 } }])
    }).pipe(Effect.provide(MockHttp.layer([MockHttp.on("POST", "https://api.test/orders", { status: 201 })]))))

  it.effect("gives bytes, forms, several values of a header, interim responses and trailers", () => {
    const interim: Array<number> = []
    return Effect.gen(function*() {
      const bytes = yield* HttpClient.get("https://api.test/bytes")
      assert.deepEqual(new Uint8Array(yield* bytes.arrayBuffer), new Uint8Array([0, 255]))
      assert.strictEqual(bytes.headers["x-list"], "a, b")
      assert.deepEqual(interim, [103])
      const form = yield* HttpClient.get("https://api.test/form")
      assert.strictEqual(form.headers["content-type"], "application/x-www-form-urlencoded")
      assert.strictEqual(yield* form.text, "a=1+2")
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on("GET", "/bytes", {
        body: new Uint8Array([0, 255]),
        headers: { "x-list": ["a", "b"] },
        interim: [{ status: 103, headers: { link: "</a>" } }]
      }),
      MockHttp.on("GET", "/form", { form: { a: "1 2" } })
    ], { onInformational: (_, { status }) => interim.push(status) })))
  })

  class Users extends Context.Tag("Users")<Users, { readonly name: (id: string) => Effect.Effect<string> }>() {}

  it.effect("lets responders use services", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* get("https://api.test/users/1"), "user 1")
    }).pipe(
      Effect.provide(MockHttp.layer([
        MockHttp.on("GET", "/users/:id", ({ params }) =>
          Effect.gen(function*() {
            return { body: yield* (yield* Users).name(params.id) }
          }))
      ])),
      Effect.provideService(Users, { name: (id) => Effect.succeed(`user ${id}`) })
    ))

  it.effect("lets the pool and its timeouts be what they are", () =>
    Effect.gen(function*() {
      yield* Effect.fork(get("https://api.test/"))
      const second = yield* Effect.fork(
        get("https://api.test/").pipe(
          Effect.as("responded"),
          TransportError.catchTag("PoolTimeout", (timeout) => Effect.succeed(`${timeout.pool.active} active`))
        )
      )
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(second), "1 active")
    }).pipe(Effect.provide(MockHttp.layer(
      [MockHttp.on("GET", "https://api.test/", MockHttp.timeout)],
      { limits: { maxConnections: 1 }, timeouts: { pool: "1 second" } }
    ))))

  it.effect("has a base URL", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* get("https://api.test/v1/users"), "users")
    }).pipe(Effect.provide(MockHttp.layer(
      MockHttp.baseUrl("https://api.test/v1/", [MockHttp.on("GET", "/users", { body: "users" })])
    ))))
})

describe("MockHttp fails", () => {
  it.effect("a request that nothing was said of, with the nearest miss, though the program catches errors", () =>
    Effect.gen(function*() {
      const caught = HttpClient.get("https://api.test/users?page=3").pipe(
        Effect.catchAllCause(() => Effect.succeed("caught"))
      )
      assert.strictEqual(
        yield* failureOf(
          MockHttp.layer([
            MockHttp.optional(MockHttp.on("GET", "https://api.test/other", {})),
            MockHttp.optional(MockHttp.on("GET", "https://api.test/users?page=2", {}))
          ]),
          caught
        ),
        "nothing was said of GET https://api.test/users?page=3; " +
          "the nearest is GET https://api.test/users?page=2: query \"page\" differs: \"3\", not \"2\""
      )
    }))

  it.effect("an expectation that no request met", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* failureOf(
          MockHttp.layer([
            MockHttp.on("GET", "/never", {}),
            MockHttp.times(MockHttp.on({ url: "/twice", json: 1 }, {}), 2),
            MockHttp.optional(MockHttp.on("GET", "/optional", {}))
          ]),
          Effect.void
        ),
        "GET /never was never requested\n* /twice by json was requested 0 times, not 2"
      )
    }))

  it.effect("not also with what was not met, when the test has failed by itself", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(
        Effect.provide(Effect.fail("own reason"), MockHttp.layer([MockHttp.on("GET", "/never", {})]))
      )
      assert.deepEqual(exit, Exit.fail("own reason"))
    }))

  it.effect("a sequence that has run out", () =>
    Effect.gen(function*() {
      const live = MockHttp.layer([
        MockHttp.sequence(MockHttp.on("GET", "/", { body: "1" }, { body: "2" })),
        MockHttp.once(MockHttp.on("GET", "/", { body: "3" }))
      ])
      assert.strictEqual(
        yield* failureOf(
          live,
          Effect.gen(function*() {
            for (const expected of ["1", "2", "3"]) assert.strictEqual(yield* get("https://api.test/"), expected)
            yield* get("https://api.test/")
          })
        ),
        "nothing was said of GET https://api.test/; the nearest is GET /: it has run out, after 2 of 2 requests"
      )
    }))

  it.effect("an assertion that throws in a responder, once: it is no error that is retried", () =>
    Effect.gen(function*() {
      let count = 0
      const live = MockHttp.layer([
        MockHttp.on("GET", "/", ({ headers }) => {
          count++
          assert.strictEqual(headers["x-key"], "secret")
          return {}
        })
      ])
      const message = yield* failureOf(
        live,
        Effect.gen(function*() {
          const client = (yield* HttpClient.HttpClient).pipe(
            HttpClient.retryTransient({ times: 3, schedule: Schedule.forever })
          )
          return yield* Retry.safely(client).get("https://api.test/")
        })
      )
      assert.match(message, /^the responder of GET https:\/\/api.test\/ failed: expected undefined to .*secret/)
      assert.strictEqual(count, 1)
    }))

  it.effect("a responder that gives nothing, or fails with what is no TransportError, and says with what", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* failureOf(
          MockHttp.layer([MockHttp.on("GET", "/", (() => undefined) as never)] as const),
          get("https://api.test/")
        ),
        "the responder of GET https://api.test/ gave undefined, which is no reply"
      )
      assert.strictEqual(
        yield* failureOf(
          MockHttp.layer([MockHttp.on("GET", "/", () => Effect.fail("no user"))]),
          get("https://api.test/")
        ),
        "the responder of GET https://api.test/ failed: no user"
      )
    }))

  const circular: Record<string, unknown> = {}
  circular["again"] = circular
  const wrongReplies: ReadonlyArray<readonly [reply: unknown, says: string]> = [
    [{ bdoy: "x" }, ".bdoy is not an option: there are status, headers, body"],
    [{ json: 1, body: "x" }, " is a reply with body and json: expected one"],
    [{ status: 99 }, ".status is 99: expected a whole number from 200 to 999, or 101"],
    [{ status: "200" }, ".status is \"200\": expected a whole number"],
    [{ delay: "2 secondz" }, ".delay is \"2 secondz\": expected a time"],
    [{ jitter: "soon" }, ".jitter is \"soon\": expected a time"],
    [{ bytesPerSecond: 0 }, ".bytesPerSecond is 0: expected a number above 0"],
    [{ cutAfter: -1, body: "x" }, ".cutAfter is -1: expected a number of bytes"],
    [{ headers: { "x-a": "b\r\nset-cookie: c" } }, ".headers.x-a is \"b\\r\\nset-cookie: c\": expected text without"],
    [{ headers: { "x-a": 7 } }, ".headers.x-a is 7: expected text"],
    [{ json: circular }, ".json is Converting circular structure to JSON"],
    [{ json: 1n }, ".json is Do not know how to serialize a BigInt"],
    [{ headers: { "x-a": "€" } }, ".headers.x-a is \"€\""],
    [{ headers: { "x a": "b" } }, ".headers is \"x a\""],
    [{ trailers: { "x-a": "b\r\nx-c: d" } }, ".trailers.x-a"],
    [{ interim: [{ status: 200 }] }, ".interim[0].status is 200"],
    [{ interim: [{ headers: { "x-a": "b\nc" } }] }, ".interim[0].headers.x-a"],
    [{ body: "abc", cutAfter: 3 }, ".cutAfter is 3: expected fewer bytes than the body has, which are 3"],
    [{ json: [], cutAfter: 10 }, ".cutAfter is 10"],
    [MockHttp.truncated({ status: 204 }), ".cutAfter is 0"],
    [{ body: Stream.make("abc"), cutAfter: 1 }, ".cutAfter is 1: expected none beside a body that is a stream"],
    [{ raw: "", status: 500 }, ".status is beside `raw`"],
    [{ raw: "", headers: { connection: "close", "x-a": "b" } }, ".headers.x-a is beside `raw`"],
    [{ raw: "", cutAfter: 1 }, ".cutAfter is beside `raw`"]
  ]
  it.effect("a reply that cannot be, where it is built, or when a responder gives it", () =>
    Effect.gen(function*() {
      for (const [reply, says] of wrongReplies) {
        const given = reply as MockHttp.Reply
        const error = yield* Effect.flip(Effect.provide(Effect.void, MockHttp.layer([MockHttp.on("GET", "/", given)])))
        assert.include(error.message, `expectations[0]${says}`)
        const failure = yield* failureOf(
          MockHttp.layer([MockHttp.on("GET", "/", () => given)]),
          get("https://api.test/")
        )
        assert.include(failure, "the responder of GET https://api.test/ gave what cannot be: the reply")
        assert.include(failure, says)
      }
    }))

  it.effect("where it is built, expectations that can never be met", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.provide(
        Effect.void,
        MockHttp.layer([
          MockHttp.on("GET", "users", {}),
          MockHttp.on("GET", "GET /users", {}),
          MockHttp.on("*", "/a", {}),
          MockHttp.on("GET", "/a", {}),
          MockHttp.on({ ulr: "/b" } as MockHttp.Matcher, {}),
          MockHttp.times(MockHttp.on("GET", "/c", {}), 0),
          MockHttp.early(MockHttp.on({ url: "/d", json: {} }, {})),
          MockHttp.on({ method: [], url: "/e" }, {}),
          MockHttp.on("GET /f", "/f", {}),
          MockHttp.on({ url: "/g?a=1", query: { b: "2" } }, {}),
          MockHttp.on({ url: "/h", json: { big: 1n } }, {})
        ])
      ))
      for (
        const part of [
          "a path begins with a slash: /users",
          "the method before the URL, and not in it",
          "one that can be reached: * /a comes before it and never runs out",
          "expectations[4].ulr is not an option",
          "expectations[5].times is 0: expected a whole number above 0",
          "expectations[6].json is a matcher of the body: expected none beside `early`",
          "expectations[7].method is no method",
          "expectations[8].method is GET /f: expected a method",
          "expectations[9].query.b is beside a URL with a query without it",
          "expectations[10].json is Do not know how to serialize a BigInt: expected what JSON can say"
        ]
      ) assert.include(error.message, part)
    }))
})

describe("MockHttp asks a matcher", () => {
  it.effect("and one that throws fails the test with its message, once", () =>
    Effect.gen(function*() {
      let asked = 0
      const picky = MockHttp.on({
        url: "/",
        where: (request) => {
          asked++
          return (request.json as { readonly a: number }).a === 1
        }
      }, {})
      const failure = yield* failureOf(MockHttp.layer([picky]), get("https://api.test/"))
      assert.include(failure, "`where` failed for GET https://api.test/: Unexpected end of JSON input")
      assert.strictEqual(asked, 1)
    }))

  it.effect("by what JSON makes of a value", () =>
    Effect.gen(function*() {
      const at = new Date(0)
      const response = yield* HttpClientRequest.post("https://api.test/").pipe(
        HttpClientRequest.bodyUnsafeJson({ at, none: undefined, list: [undefined] }),
        HttpClient.execute,
        Effect.provide(MockHttp.layer([MockHttp.on({ url: "/", json: { at, list: [undefined] } }, { status: 201 })]))
      )
      assert.strictEqual(response.status, 201)
    }))
})

describe("MockHttp gives failures", () => {
  const client = MockHttp.layer([
    MockHttp.on("GET", "/refused", MockHttp.refused),
    MockHttp.on("POST", "/reset", MockHttp.reset),
    MockHttp.on("GET", "/timeout", () => MockHttp.timeout),
    MockHttp.on("GET", "/truncated", MockHttp.truncated({ body: "0123456789" }, 4)),
    MockHttp.on("GET", "/slow", MockHttp.slow("1 second", { body: "late" })),
    MockHttp.on("GET", "/throttled", { body: "x".repeat(100), bytesPerSecond: 50 })
  ])

  it.effect("in one word", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* tagOf("https://api.test/refused"), "ConnectError")
      const reset = yield* Effect.flip(HttpClient.post("https://api.test/reset"))
      assert.include(Option.getOrThrow(TransportError.fromHttpClientError(reset)), {
        _tag: "ReadError",
        reason: "Reset"
      })
      const truncated = yield* HttpClient.get("https://api.test/truncated")
      const error = yield* Effect.flip(Stream.runDrain(truncated.stream))
      assert.include(Option.getOrThrow(TransportError.fromHttpClientError(error)), { _tag: "ReadError", phase: "body" })
      const timeout = yield* Effect.fork(tagOf("https://api.test/timeout"))
      const slow = yield* Effect.fork(get("https://api.test/slow"))
      const throttled = yield* Effect.fork(get("https://api.test/throttled"))
      yield* TestClock.adjust("999 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(slow)))
      yield* TestClock.adjust("1 millis")
      yield* settle
      assert.strictEqual(yield* Fiber.join(slow), "late")
      assert.isTrue(Option.isNone(yield* Fiber.poll(throttled)))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(throttled)).length, 100)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* Fiber.join(timeout), "ReadTimeout")
    }).pipe(Effect.provide(client)))
})

describe("MockHttp takes its time, or does not wait", () => {
  it.effect("jitter is up to so much more, by Effect's Random", () =>
    Effect.gen(function*() {
      const fibers = yield* Effect.replicateEffect(Effect.fork(get("https://api.test/")), 20)
      yield* TestClock.adjust("99 millis")
      assert.isTrue(fibers.every((fiber) => fiber.unsafePoll() === null))
      yield* TestClock.adjust("50 millis")
      const early = fibers.filter((fiber) => fiber.unsafePoll() !== null).length
      assert.isTrue(early > 0 && early < 20, `${early} of 20`)
      yield* TestClock.adjust("51 millis")
      yield* Fiber.joinAll(fibers)
    }).pipe(
      Effect.provide(MockHttp.layer([MockHttp.on("GET", "/", { delay: 100, jitter: 100 })])),
      Effect.withRandom(Random.make("the same each time"))
    ))

  it.effect("early responds while the body is being sent, and goes on with the next request", () =>
    Effect.gen(function*() {
      const upload = HttpClientRequest.put("https://files.test/big").pipe(
        HttpClientRequest.bodyStream(Stream.concat(Stream.make(new Uint8Array(10)), Stream.never))
      )
      const response = yield* HttpClient.execute(upload)
      assert.strictEqual(response.status, 413)
      const { history, requests } = yield* MockHttp.MockHttp
      assert.strictEqual(requests[0].method, "PUT")
      assert.strictEqual(history[0].outcome._tag, "Replied")
      // One that is small is sent whole; what was said of others by their bodies counts before it.
      const small = yield* HttpClientRequest.put("https://files.test/small").pipe(
        HttpClientRequest.bodyText("small"),
        HttpClient.execute
      )
      assert.strictEqual(small.status, 201)
      assert.strictEqual(requests[1].body, "small")
    }).pipe(Effect.provide(MockHttp.layer([
      MockHttp.on({ method: "PUT", url: "/small", body: "small" }, { status: 201 }),
      MockHttp.early(MockHttp.on("PUT", "/*", { status: 413, headers: { connection: "close" } }))
    ]))))
})

describe("MockHttp for several tests", () => {
  layer(MockHttp.layer([MockHttp.on("GET", "https://api.test/", { body: "shared" })]))("over one layer", (it) => {
    it.scoped("one overrides it", () =>
      Effect.gen(function*() {
        yield* (yield* MockHttp.MockHttp).override(
          MockHttp.once(MockHttp.on("GET", "https://api.test/", { body: "mine" }))
        )
        assert.strictEqual(yield* get("https://api.test/"), "mine")
        assert.strictEqual(yield* get("https://api.test/"), "shared")
      }))

    it.effect("the next one has what all share, and may begin anew", () =>
      Effect.gen(function*() {
        const mock = yield* MockHttp.MockHttp
        assert.strictEqual(mock.requests.length, 2)
        yield* mock.reset
        assert.strictEqual(mock.requests.length, 0)
        assert.strictEqual(yield* get("https://api.test/"), "shared")
      }))

    it.effect("an override that is not met fails the test that made it", () =>
      Effect.gen(function*() {
        const { override } = yield* MockHttp.MockHttp
        const exit = yield* Effect.exit(Effect.scoped(override(MockHttp.on("GET", "/mine", {}))))
        assert.include(String(exit), "GET /mine was never requested")
      }))
  })

  it.effect("verify fails at once, and not again", () =>
    Effect.gen(function*() {
      const mock = yield* MockHttp.MockHttp
      yield* Effect.exit(get("https://api.test/other"))
      assert.include(String(yield* Effect.exit(mock.verify)), "nothing was said of GET https://api.test/other")
      yield* get("https://api.test/")
      yield* mock.verify
    }).pipe(Effect.provide(MockHttp.layer([MockHttp.on("GET", "https://api.test/", {})]))))

  it.effect("awaitRequest waits for the request of that number", () =>
    Effect.gen(function*() {
      const mock = yield* MockHttp.MockHttp
      const second = yield* Effect.fork(mock.awaitRequest(2))
      yield* get("https://api.test/1")
      yield* settle
      assert.isTrue(Option.isNone(yield* Fiber.poll(second)))
      yield* Effect.fork(get("https://api.test/2"))
      assert.strictEqual((yield* Fiber.join(second)).path, "/2")
      assert.strictEqual((yield* mock.awaitRequest(1)).path, "/1")
    }).pipe(Effect.provide(MockHttp.layer([MockHttp.on("GET", "/*", {})]))))
})

describe("MockHttp records and replays", () => {
  const real = MockHttp.layer([
    MockHttp.on("POST", "https://api.test/login", {
      json: { access_token: "s3cret", user: "ada" },
      headers: { "set-cookie": "sid=s3cret", location: "/next?sig=s3cret" }
    }),
    MockHttp.on("GET", "https://api.test/items", { json: [1] }, { json: [1, 2] }),
    MockHttp.on("GET", "https://api.test/bytes", { body: new Uint8Array([0xff, 0]) })
  ])

  const login = HttpClientRequest.post("https://api.test/login?api_key=s3cret&%zz=1", {
    headers: { authorization: "Bearer s3cret", "x-custom": "s3cret" }
  }).pipe(HttpClientRequest.bodyUnsafeJson({ user: "ada", password: "s3cret" }))

  it.effect("without secrets", () =>
    Effect.gen(function*() {
      const recording = yield* Effect.gen(function*() {
        yield* HttpClient.execute(login)
        yield* get("https://api.test/items")
        yield* get("https://api.test/items")
        yield* HttpClient.get("https://api.test/bytes")
        return yield* MockHttp.recording
      }).pipe(
        Effect.provide(MockHttp.layer([MockHttp.on("*", "*", MockHttp.passThrough)]).pipe(Layer.provide(real)))
      )
      const file = JSON.stringify(recording)
      assert.notInclude(file, "s3cret")
      const read = yield* Schema.decode(Schema.parseJson(MockHttp.Recording))(file)
      yield* Effect.gen(function*() {
        const response = yield* HttpClient.execute(login)
        assert.deepEqual(yield* response.json, { access_token: "REDACTED", user: "ada" })
        assert.strictEqual(response.headers["location"], "/next?sig=REDACTED")
        assert.strictEqual(yield* get("https://api.test/items"), "[1]")
        assert.strictEqual(yield* get("https://api.test/items"), "[1,2]")
        const bytes = yield* HttpClient.get("https://api.test/bytes")
        assert.deepEqual(new Uint8Array(yield* bytes.arrayBuffer), new Uint8Array([0xff, 0]))
        assert.strictEqual(
          yield* HttpClient.get("https://api.test/items?page=2&token=s3cret").pipe(
            Effect.catchAllDefect((defect) => Effect.succeed((defect as Error).message.split("; ")[0]))
          ),
          "nothing was said of GET https://api.test/items?page=2&token=REDACTED"
        )
        yield* Effect.ignore(Effect.catchAllDefect((yield* MockHttp.MockHttp).verify, () => Effect.void))
      }).pipe(Effect.provide(MockHttp.layer(MockHttp.replay(read))))
    }))
})

describe("MockHttp records and replays what is odd", () => {
  const form = () => {
    const data = new FormData()
    data.set("user", "ada")
    data.set("password", "s3cret")
    return data
  }
  const post = HttpClientRequest.post("https://api.test/form")
  const requests: Record<string, () => HttpClientRequest.HttpClientRequest> = {
    "a body that is streamed": () => HttpClientRequest.bodyStream(post, Stream.make(new TextEncoder().encode("a"))),
    "a form in parts, whose boundary is another one each time": () => HttpClientRequest.bodyFormData(post, form()),
    "a form with an equals sign in a value": () =>
      HttpClientRequest.bodyText(post, "password=s3cret==&b=2", "application/x-www-form-urlencoded"),
    "a query that is not encoded": () => HttpClientRequest.get("https://api.test/a?x%zz=1&token=s3cret"),
    "a path and a query that look like a route": () => HttpClientRequest.get("https://api.test/:a/:a/b*?q=*"),
    HEAD: () => HttpClientRequest.head("https://api.test/")
  }
  for (const [name, request] of Object.entries(requests)) {
    it.effect(name, () =>
      Effect.gen(function*() {
        const recording = yield* Effect.zipRight(HttpClient.execute(request()), MockHttp.recording).pipe(
          Effect.provide(MockHttp.layer([MockHttp.on("*", "*", MockHttp.passThrough)])),
          Effect.provide(MockHttp.layer([MockHttp.on("*", "*", {
            headers: { "set-cookie": ["a=s3cret", "b=s3cret"] },
            json: { tokens: ["s3cret"], session: { id: "s3cret", admin: true }, ok: "yes" }
          })]))
        )
        assert.notInclude(JSON.stringify(recording), "s3cret")
        const { status } = yield* HttpClient.execute(request()).pipe(
          Effect.provide(MockHttp.layer(MockHttp.replay(recording)))
        )
        assert.strictEqual(status, 200)
      }))
  }

  it.effect("what looks like a route is none when it is replayed", () =>
    Effect.gen(function*() {
      const exchange = (url: string, body: string) => ({
        request: { method: "GET", url, headers: {}, body: "" },
        response: { status: 200, headers: {}, body, encoding: "utf-8" as const }
      })
      yield* Effect.gen(function*() {
        assert.strictEqual(yield* get("https://api.test/a?q=tea"), "tea")
        assert.strictEqual(yield* get("https://api.test/a?q=*"), "all")
        assert.strictEqual(yield* get("https://api.test/b"), "b")
        assert.strictEqual(yield* get("https://api.test/:id"), "id")
      }).pipe(Effect.provide(MockHttp.layer(MockHttp.replay({
        version: 1,
        exchanges: [
          exchange("https://api.test/a?q=*", "all"),
          exchange("https://api.test/a?q=tea", "tea"),
          exchange("https://api.test/:id", "id"),
          exchange("https://api.test/b", "b")
        ]
      }))))
    }))

  it.effect("several cookies pass", () =>
    Effect.gen(function*() {
      const response = yield* HttpClient.get("https://api.test/").pipe(
        Effect.provide(MockHttp.layer([MockHttp.on("*", "*", MockHttp.passThrough)])),
        Effect.provide(MockHttp.layer([MockHttp.on("*", "*", { headers: { "set-cookie": ["a=1", "b=2; Path=/"] } })]))
      )
      assert.deepEqual(Object.keys(response.cookies.cookies), ["a", "b"])
    }))
})

describe("Over a mock", () => {
  it.effect("an endless response of which some is taken, and an endless upload, let the process live", () =>
    Effect.gen(function*() {
      const events = yield* HttpClient.get("https://api.test/events")
      const taken = yield* events.stream.pipe(
        Stream.decodeText(),
        Stream.splitLines,
        Stream.take(3),
        Stream.runCollect
      )
      assert.strictEqual(taken.length, 3)
      let chunks = 0
      const whole = yield* HttpClient.get("https://api.test/events").pipe(
        Effect.flatMap((response) => Stream.runForEach(response.stream, () => Effect.sync(() => chunks++))),
        Effect.timeoutOption("1 second"),
        Effect.fork
      )
      yield* TestClock.adjust("1 second")
      assert.deepEqual(yield* Fiber.join(whole), Option.none())
      // `adjust` waits until all fibers rest: they do while the event loop has its turn, and not by chance now and then.
      assert.isBelow(chunks, 8192)
      const upload = yield* HttpClientRequest.post("https://api.test/upload").pipe(
        HttpClientRequest.bodyStream(Stream.repeatValue(new Uint8Array(10))),
        HttpClient.execute,
        Effect.fork
      )
      // The event loop has its turn while it goes on.
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))
      yield* Fiber.interrupt(upload)
    }).pipe(Effect.provide(MockHttp.layer(MockHttp.stubs([
      MockHttp.on("GET", "/events", { body: Stream.repeatValue("data: x\n") }),
      MockHttp.on("POST", "/upload", {})
    ])))))

  it.effect("a client that was built with another Clock fails, and says what to do", () =>
    Effect.gen(function*() {
      const runtime = ManagedRuntime.make(MockHttp.layer(MockHttp.stubs([MockHttp.on("GET", "https://api.test/", {})])))
      const client = yield* Effect.promise(() => runtime.runPromise(HttpClient.HttpClient))
      const exit = yield* Effect.exit(client.get("https://api.test/"))
      assert.include(String(exit), "this client was built outside of the test, with another Clock")
      yield* Effect.promise(() => runtime.dispose())
    }))

  it.effect("settle ends under fake timers", () => {
    vi.useFakeTimers()
    return Effect.gen(function*() {
      const fiber = yield* Effect.fork(get("https://api.test/"))
      yield* settle
      assert.isTrue(Option.isSome(yield* Fiber.poll(fiber)))
    }).pipe(
      Effect.provide(MockHttp.layer([MockHttp.on("GET", "https://api.test/", {})])),
      Effect.ensuring(Effect.sync(() => vi.useRealTimers()))
    )
  })
})

it.effect("both clients of a mock are loud", () =>
  Effect.gen(function*() {
    const pooled = yield* PooledHttpClient.PooledHttpClient
    const exit = yield* Effect.exit(pooled.get("https://api.test/other"))
    assert.include(String(exit), "nothing was said of")
    const mock = yield* MockHttp.MockHttp
    assert.isTrue(Exit.isFailure(yield* Effect.exit(mock.verify)))
  }).pipe(Effect.provide(MockHttp.layer([MockHttp.optional(MockHttp.on("GET", "/", {}))]))))
