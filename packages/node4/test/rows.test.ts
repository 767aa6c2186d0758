/**
 * What Effect 4 has in another way than Effect 3, row by row, and the tests that hold this face to it: a bridge from the
 * suite of the other face would hide it.
 */
import * as ConnectionPool from "@sluice/core4/ConnectionPool"
import * as Origin from "@sluice/core4/Origin"
import * as Timeouts from "@sluice/core4/Timeouts"
import * as Trailers from "@sluice/core4/Trailers"
import * as TransportError from "@sluice/core4/TransportError"
import { HttpClientLayer } from "@sluice/node4"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { readFileSync } from "node:fs"
import type * as http from "node:http"
import { assert, describe, it } from "vitest"
import { effect, live, until } from "./support/it.js"
import { recording } from "./support/tracer.js"
import { atRest, build, serve, text } from "./support/world.js"

/** Each row, and the names of its tests: in this file, or after the name of another one. */
const rows: Readonly<Record<string, ReadonlyArray<string>>> = {
  "Effect.callback: resume runs the fiber at once, on the caller's stack": [
    "native: a fiber that has read a body finds its connection free: one connection, and no wait",
    "native: a request that is made as soon as another one's response is there does not overtake it"
  ],
  "fiber.interruptUnsafe: finalizers run at once": [
    "native: a fiber interrupted by a hook of its own request",
    "native: a fiber interrupted by the reader of the pool's events, whatever happens",
    "native: the finalizer of an interrupted body makes a request by the same client",
    "native: the reader of a body is interrupted by what it has read",
    "native: one fiber interrupts another that waits, in the moment in which it goes on itself"
  ],
  "Effect.runForkWith, Effect.context, no flags: uninterruptibleMask": [
    "a body of a request runs with the services of whoever sends it",
    "in an uninterruptible region a request goes on to its end"
  ],
  "Context.Reference, provideService, updateService": [
    "timeouts of a region hold in it, in what it forks, and nowhere else"
  ],
  "Result": ["what may be wrong with a value is a Result, and no Effect"],
  "Context.Service, Layer.effect, Layer.unwrap": [
    "a layer is built once for a program, anew for Layer.fresh, and closed with its Scope"
  ],
  "andThen, catch, catchCause, timeoutOrElse": [
    "effectsOwn: nobody reads, or reads to the end, hold nothing; one that is left early lets go",
    "effectsOwn: tap, tapError, transformResponse and catch see what this client gives"
  ],
  "Stream.fromPull, callback, fromReadableStream": [
    "a body is pulled in arrays that are not empty, and ends with Done",
    "bodies of the web, and of Effect, are sent"
  ],
  "Metric.registerUnsafe: pulled when read": [
    "native: metrics are read when somebody asks, from the registry of the layer"
  ],
  "HttpClientError with its reasons": ["each failure has its reason, and the transport's error as its cause"],
  "HttpClientResponse: url, upgrade, pipe, json": [
    "effectsOwn: say where they came from: without the fragment, and after redirects the last",
    "upgrade: hands over the connection: the bytes that came with the response first, then both ways"
  ],
  "Url.make, urlParams.params, Redacted": [
    "native: what is redacted is sent, and shown nowhere",
    "effectsOwn: carry methods, queries, headers and bodies of each kind"
  ],
  "HttpBody.Stream, HttpClient.isHttpClient": ["what is a client, a body and a response is so for Effect"],
  "CurrentRedactedNames and the tracer's References": [
    "effectsOwn: have no headers unless they are asked for, by name and phase, and then without secrets",
    "effectsOwn: are named, disabled, and passed on as Effect's References say"
  ],
  "Config.String, mapEffect": ["native: options from Config"],
  "fiber.cache.span and tracer": ["a span belongs to the one that is current in the fiber that sends"],
  "withScope": [
    "native: a Scope ends the responses of PooledHttpClient.withScope",
    "upgrade: ends with the Scope of the request"
  ],
  "effect/testing/TestClock": [
    "smoke: has its timeouts on the TestClock",
    "a clock that is moved meets what waits for a response, for the next bytes, and in the queue"
  ]
}

describe("each row", () => {
  it("has its tests", () => {
    for (const name of Object.values(rows).flat()) {
      const [, file = "rows", title = name] = /^(native|effectsOwn|upgrade|smoke): (.*)$/s.exec(name) ?? []
      const source = readFileSync(new URL(`${file}.test.ts`, import.meta.url), "utf8")
      // Here it stands in the list already.
      assert.isAbove(source.split(title).length, file === "rows" ? 2 : 1, `${file} has no test "${title}"`)
    }
  })
})

const echo: http.RequestListener = (request, response) => {
  if (request.url === "/never") return
  if (request.url === "/begun") return void response.write("x")
  request.pipe(response)
}

class Prefix extends Context.Service<Prefix, string>()("test/Prefix") {}

describe("fibers", () => {
  live("a body of a request runs with the services of whoever sends it", () =>
    Effect.gen(function*() {
      const url = yield* serve(echo)
      const { client } = yield* build()
      // What a stream needs is provided when the request is made; what it finds by Reference is of the fiber that sends it.
      const level = Context.Reference("test/level", { defaultValue: () => "none" })
      const body = Stream.fromEffect(Effect.map(Effect.all([Prefix, level]), (all) => all.join(" "))).pipe(
        Stream.encodeText,
        Stream.provideService(Prefix, "given")
      )
      const sent = client.post(url, { body: HttpBody.stream(body) }).pipe(
        Effect.flatMap((response) => response.text),
        Effect.provideService(level, "high")
      )
      assert.strictEqual(yield* sent, "given high")
    }))

  live("in an uninterruptible region a request goes on to its end", () =>
    Effect.gen(function*() {
      let finish = () => {}
      const url = yield* serve((_, response) => {
        finish = () => response.end("whole")
        response.write("")
      })
      const { client, pool } = yield* build()
      let got: string | undefined
      const fiber = yield* Effect.forkChild(
        Effect.uninterruptible(Effect.map(text(client, url), (text) => {
          got = text
        }))
      )
      const before = finish
      yield* until(() => finish !== before)
      fiber.interruptUnsafe()
      finish()
      yield* Fiber.await(fiber)
      assert.strictEqual(got, "whole")
      yield* atRest(pool)
    }))

  live("timeouts of a region hold in it, in what it forks, and nowhere else", () =>
    Effect.gen(function*() {
      const url = yield* serve(echo)
      const { client } = yield* build()
      const tagOf = Effect.flip(client.get(`${url}/never`)).pipe(
        Effect.map((error) => Option.getOrThrow(TransportError.fromHttpClientError(error))._tag)
      )
      const forked = Effect.flatMap(Effect.forkChild(tagOf), Fiber.join)
      assert.strictEqual(yield* Timeouts.locally(forked, { read: 1 }), "ReadTimeout")
      const inner = forked.pipe(
        Effect.updateService(Timeouts.current, (current) => ({ ...current, total: 1 })),
        Timeouts.locally({ read: "1 hour" })
      )
      assert.strictEqual(yield* inner, "TotalTimeout")
      assert.isUndefined(yield* Timeouts.current)
      assert.deepStrictEqual(yield* Timeouts.locally(Timeouts.current, { read: 5 }), { read: 5 })
    }))

  live("a span belongs to the one that is current in the fiber that sends", () =>
    Effect.gen(function*() {
      const url = yield* serve(echo)
      const { client } = yield* build()
      const { clientSpans, traced } = recording()
      const get = client.get(url)
      yield* traced(
        Effect.forEach(
          ["a", "b"],
          (name) => Effect.flatMap(Effect.forkChild(Effect.withSpan(get, name)), Fiber.join),
          { concurrency: "unbounded" }
        ).pipe(Effect.andThen(get))
      )
      const parents = clientSpans().map(({ parent }) =>
        Option.getOrUndefined(Option.map(parent, (span) => span._tag === "Span" ? span.name : ""))
      )
      assert.deepStrictEqual(parents.sort(), ["a", "b", "outer"])
    }))
})

describe("values", () => {
  it("what may be wrong with a value is a Result, and no Effect", () => {
    const right = Origin.make("http://127.0.0.1:80/path")
    assert.isTrue(Result.isSuccess(right) && right.success.href === "http://127.0.0.1")
    const wrong = Origin.make("ftp://127.0.0.1")
    assert.isTrue(Result.isFailure(wrong) && wrong.failure._tag === "UnsupportedProtocol")
    assert.isFalse(Effect.isEffect(right))
    assert.strictEqual(Effect.runSync(Effect.fromResult(right)).scheme, "http")
  })

  live("what is a client, a body and a response is so for Effect", () =>
    Effect.gen(function*() {
      const url = yield* serve(echo)
      const { client } = yield* build({ decompress: true })
      assert.isTrue(HttpClient.isHttpClient(client))
      const request = Trailers.set(
        HttpClientRequest.post(url).pipe(HttpClientRequest.bodyStream(Stream.make(new Uint8Array([97])))),
        Effect.succeed({ "x-sum": "1" })
      )
      assert.isTrue(HttpBody.isHttpBody(request.body))
      const response = yield* client.execute(request)
      assert.isTrue(HttpClientRequest.isHttpClientRequest(response.request))
      assert.strictEqual(yield* response.text, "a")
    }))

  live("each failure has its reason, and the transport's error as its cause", () =>
    Effect.gen(function*() {
      const url = yield* serve((request, response) => {
        if (request.url === "/reset") request.socket.destroy()
        else response.end("no json")
      })
      const { client } = yield* build()
      const reasons: Array<string> = []
      const failures: ReadonlyArray<Effect.Effect<unknown, HttpClientError>> = [
        client.get(`${url}/reset`),
        client.get("http://127.0.0.1:1/"),
        client.get("ftp://127.0.0.1/"),
        client.get("no url"),
        client.post(url, { body: HttpBody.stream(Stream.fail("broken")) }),
        client.get(url, { headers: { "content-length": "3" } }),
        HttpClient.filterStatus(client, (status) => status === 418).get(url),
        Effect.flatMap(client.get(url), (response) => response.json)
      ]
      for (const failure of failures) {
        const { cause, reason } = yield* Effect.flip(failure)
        reasons.push(TransportError.isTransportError(cause) ? `${reason._tag} ${cause._tag}` : reason._tag)
      }
      assert.deepStrictEqual(reasons, [
        "TransportError ReadError",
        "TransportError ConnectError",
        "InvalidUrlError UnsupportedProtocol",
        "InvalidUrlError LocalProtocolError",
        "EncodeError RequestBodyError",
        "EncodeError LocalProtocolError",
        "StatusCodeError",
        "DecodeError"
      ])
      const recovered = yield* text(client, "http://127.0.0.1:1/").pipe(
        Effect.catchReason("HttpClientError", "TransportError", ({ cause }) =>
          Effect.succeed(TransportError.isTransportError(cause) ? cause._tag : "unknown"))
      )
      assert.strictEqual(recovered, "ConnectError")
    }))
})

describe("layers", () => {
  live(
    "a layer is built once for a program, anew for Layer.fresh, and closed with its Scope",
    () =>
      Effect.gen(function*() {
        const url = yield* serve(echo)
        const shared = HttpClientLayer.layer({ name: "shared" })
        class One extends Context.Service<One, ConnectionPool.ConnectionPool>()("test/One") {}
        class Two extends Context.Service<Two, ConnectionPool.ConnectionPool>()("test/Two") {}
        class Three extends Context.Service<Three, ConnectionPool.ConnectionPool>()("test/Three") {}
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(
          Layer.mergeAll(
            Layer.provide(Layer.effect(One, ConnectionPool.ConnectionPool), shared),
            Layer.provide(Layer.effect(Two, ConnectionPool.ConnectionPool), shared),
            Layer.provide(Layer.effect(Three, ConnectionPool.ConnectionPool), Layer.fresh(shared))
          ).pipe(Layer.provideMerge(shared)),
          scope
        )
        assert.strictEqual(Context.get(context, One), Context.get(context, Two))
        assert.notStrictEqual(Context.get(context, One), Context.get(context, Three))
        const client = Context.get(context, HttpClient.HttpClient)
        yield* client.post(url, { body: HttpBody.text("x") })
        const pool = Context.get(context, One)
        assert.strictEqual(pool.unsafeStats().open, 1)
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(pool.unsafeStats().open, 0)
        const closed = Option.getOrUndefined(TransportError.fromHttpClientError(yield* Effect.flip(client.get(url))))
        assert.strictEqual(closed?._tag, "PoolClosed")
      })
  )
})

describe("bodies", () => {
  live("a body is pulled in arrays that are not empty, and ends with Done", () =>
    Effect.gen(function*() {
      const url = yield* serve(echo)
      const { client } = yield* build()
      for (const content of ["", "content"]) {
        const response = yield* client.post(url, { body: HttpBody.text(content) })
        const pull = yield* Stream.toPull(response.stream)
        let got = ""
        const end = yield* Effect.flip(Effect.forever(Effect.map(pull, (chunks) => {
          assert.isAbove(chunks.length, 0)
          got += Buffer.concat(chunks).toString()
        })))
        assert.isTrue(Cause.isDone(end))
        assert.strictEqual(got, content)
      }
    }))

  live("bodies of the web, and of Effect, are sent", () =>
    Effect.gen(function*() {
      const url = yield* serve(echo)
      const { client } = yield* build()
      const pieces = () =>
        new ReadableStream<Uint8Array>({
          start: (controller) => {
            controller.enqueue(new TextEncoder().encode("of the "))
            controller.enqueue(new TextEncoder().encode("web"))
            controller.close()
          }
        })
      const bodies = [
        HttpBody.raw(pieces()),
        HttpBody.raw(new Blob(["of the web"])),
        HttpBody.stream(Stream.fromReadableStream({ evaluate: pieces, onError: (error) => error })),
        HttpBody.stream(Stream.encodeText(Stream.make("of the ", "web"))),
        HttpBody.text("of the web")
      ]
      for (const body of bodies) {
        const response = yield* client.post(url, { body })
        assert.strictEqual(yield* response.text, "of the web")
      }
    }))
})

describe("time", () => {
  effect(
    "a clock that is moved meets what waits for a response, for the next bytes, and in the queue",
    () =>
      Effect.gen(function*() {
        let seen = 0
        const url = yield* serve((request, response) => {
          seen++
          echo(request, response)
        })
        const { client, pool } = yield* build({
          limits: { maxConnections: 1 },
          timeouts: { pool: "2 seconds", headers: "5 seconds", read: "9 seconds" }
        })
        const failed = <A, R>(effect: Effect.Effect<A, HttpClientError, R>) =>
          Effect.forkChild(
            Effect.map(
              Effect.flip(effect),
              (error) => Option.getOrUndefined(TransportError.fromHttpClientError(error))?._tag
            )
          )
        const first = yield* failed(client.get(`${url}/never`))
        yield* until(() => seen === 1)
        const queued = yield* failed(client.get(`${url}/queued`))
        yield* until(() => pool.unsafeStats().waiting === 1)
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* Fiber.join(queued), "PoolTimeout")
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual(yield* Fiber.join(first), "HeadersTimeout")
        yield* atRest(pool)
        const response = yield* client.get(`${url}/begun`)
        const reading = yield* failed(response.text)
        yield* Effect.yieldNow
        yield* TestClock.adjust("9 seconds")
        assert.strictEqual(yield* Fiber.join(reading), "ReadTimeout")
      })
  )
})
