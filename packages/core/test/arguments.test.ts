import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as ContentCoding from "@sluice/core/ContentCoding"
import * as Cookies from "@sluice/core/Cookies"
import * as Credentials from "@sluice/core/Credentials"
import * as Explanation from "@sluice/core/Explanation"
import * as JsonLines from "@sluice/core/JsonLines"
import * as Origin from "@sluice/core/Origin"
import * as Sse from "@sluice/core/Sse"
import { Interleavings, MemoryNetwork, MockHttp } from "@sluice/core/testing"
import * as Trailers from "@sluice/core/Trailers"
import * as Tunnel from "@sluice/core/Tunnel"
import * as Wrappers from "@sluice/core/Wrappers"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { match, ok } from "node:assert"
import { describe, it } from "vitest"

// What a compiler would refuse and JavaScript lets through: each is an error that names the argument, the value and what
// is right, and none is a TypeError from somewhere inside.

const wrong = (value: unknown): never => value as never

const client = HttpClient.make(() => Effect.die("nothing is sent"))
const request = HttpClientRequest.get("http://a.test/")
const origin = Either.getOrThrow(Origin.make("http://a.test"))

const onPool = <A, E>(
  use: (pool: ConnectionPool.ConnectionPool) => Effect.Effect<A, E, Scope.Scope>
) =>
  Effect.flatMap(ConnectionPool.ConnectionPool, use).pipe(
    Effect.provide(Layer.provide(ConnectionPool.layer(), MemoryNetwork.layer())),
    Effect.scoped
  )

const built = <A, E>(layer: Layer.Layer<A, E, unknown>) => Effect.scoped(Layer.build(layer as Layer.Layer<A, E>))
const reply = { status: 200 }

/** What is done with a value that is wrong, and how the message begins. */
const cases: Readonly<Record<string, readonly [(value: unknown) => unknown, ReadonlyArray<unknown>]>> = {
  "acquire: origin": [
    (value) => onPool((pool) => pool.acquire(wrong(value))),
    [undefined, null, 5, "http://a.test", {}, Origin.make("http://a.test")]
  ],
  "warm: origin": [
    (value) => onPool((pool) => pool.warm(wrong(value), 1)),
    [undefined, null, "http://a.test", Origin.make("http://a.test")]
  ],
  "warm.count": [(value) => onPool((pool) => pool.warm(origin, wrong(value))), [null, NaN, -1, 1.5, 5n, "5", {}]],
  "acquire": [(value) => onPool((pool) => pool.acquire(origin, wrong(value))), [null, 5, "5 seconds"]],
  "acquire.timeout": [
    (value) => onPool((pool) => pool.acquire(origin, wrong({ timeout: value }))),
    [null, NaN, -1, -5n, "soon", {}]
  ],
  "limits": [(value) => onPool((pool) => pool.setLimits(wrong(value))), [null, 5, "many", []]],
  "Credentials.basic: password": [(value) => Credentials.basic("user", wrong(value)), [undefined, null, "hunter2", {}]],
  "Credentials.basic: username": [
    (value) => Credentials.basic(wrong(value), Redacted.make("hunter2")),
    [undefined, null, 5]
  ],
  "Credentials.bearer: token": [(value) => Credentials.bearer(wrong(value)), [undefined, null, "hunter2"]],
  "Credentials.apiKey: key": [(value) => Credentials.apiKey(wrong(value)), [undefined, null, "hunter2"]],
  "Credentials.apiKey: name": [
    (value) => Credentials.apiKey(Redacted.make("hunter2"), wrong(value)),
    [null, 5, "", "x key", "x:"]
  ],
  "Credentials.tokenSource: refresh": [
    (value) => Credentials.tokenSource(wrong(value)),
    [undefined, null, "hunter2", () => Effect.succeed(Redacted.make("hunter2"))]
  ],
  "Credentials": [(value) => Credentials.withCredentials(client, wrong(value)), [undefined, null, 5, "hunter2", []]],
  "Credentials: that of http://a.test": [
    (value) => Credentials.withCredentials(client, { "http://a.test": wrong(value) }),
    [undefined, null, "hunter2", Redacted.make("hunter2"), {}]
  ],
  "Credentials: what the function returned": [
    (value) => Credentials.withCredentials(client, () => wrong(value)).get("http://a.test"),
    [null, "hunter2", {}]
  ],
  "Cookies.withJar: jar": [(value) => Cookies.withJar(client, wrong(value)), [undefined, null, {}, Cookies.make()]],
  "Cookies.layerFile: path": [(value) => Cookies.layerFile(wrong(value)), [undefined, null, "", 5]],
  "Cookies.layerKeyValueStore: key": [(value) => Cookies.layerKeyValueStore(wrong(value)), [null, "", 5]],
  "Cookies": [(value) => Cookies.make(wrong(value)), [null, 5, "all"]],
  "Cookies.maxCookies": [(value) => Cookies.make(wrong({ maxCookies: value })), [null, NaN, 0, -1, 1.5, 5n, "5"]],
  "Cookies.isPublicSuffix": [(value) => Cookies.make(wrong({ isPublicSuffix: value })), [null, "com", ["com"]]],
  "ContentCoding.decode: codecs": [
    (value) => ContentCoding.decode(client, wrong(value)),
    [undefined, null, "gzip", ["gzip"], [null]]
  ],
  "ContentCoding.encode: encoder": [
    (value) => ContentCoding.encode(client, wrong(value)),
    [undefined, null, "gzip", {}, []]
  ],
  "Sse": [(value) => Sse.decode(Stream.empty, wrong(value)), [null, 5, "x", []]],
  "Sse.maxEventSize": [(value) => Sse.stream(client, request, wrong({ maxEventSize: value })), [null, 0, NaN, 5n, "5"]],
  "Sse.reconnect": [(value) => Sse.stream(client, request, wrong({ reconnect: value })), [null, true, 5, {}]],
  "JsonLines": [(value) => JsonLines.decode(Stream.empty, wrong(value)), [null, 5, "x"]],
  "Trailers.set: trailers": [(value) => Trailers.set(request, wrong(value)), [undefined, null, { digest: "x" }]],
  "Wrappers": [(value) => Wrappers.wrap(client, wrong(value)), [undefined, null, 5, []]],
  "Wrappers.total": [(value) => Wrappers.wrap(client, wrong({ total: value })), [null, NaN, -1, "soon"]],
  "Wrappers.redirects": [(value) => Wrappers.wrap(client, wrong({ redirects: value })), [null, 5, "yes"]],
  "Wrappers.cookies": [(value) => Wrappers.wrap(client, wrong({ cookies: value })), [null, true, {}]],
  "Origin.withRoute: route": [(value) => Origin.withRoute(origin, wrong(value)), [undefined, null, "", 5]],
  "Origin.withRoute: origin": [(value) => Origin.withRoute(wrong(value), "a"), [undefined, null, "http://a.test"]],
  "expectations": [(value) => built(MockHttp.layer(wrong(value))), [undefined, null, 5, {}]],
  "expectations[0]": [
    (value) => built(MockHttp.layer([wrong(value)])),
    [undefined, null, 5, {}, MockHttp.on(wrong(null), reply)]
  ],
  "Interleavings": [(value) => Interleavings.explore(wrong(value)), [undefined, null, 5]],
  "Interleavings.layer": [(value) => Interleavings.explore(wrong({ actors: [], layer: value })), [undefined, null, {}]],
  "Interleavings.actors": [
    (value) => Interleavings.explore(wrong({ layer: Layer.empty, actors: value })),
    [null, Effect.void, "x"]
  ],
  "Interleavings.actors[0]": [
    (value) => Interleavings.explore(wrong({ layer: Layer.empty, actors: [value] })),
    [undefined, null, () => Effect.void]
  ],
  "Interleavings.random": [
    (value) => Interleavings.explore(wrong({ layer: Layer.empty, actors: [], random: value })),
    [null, NaN, -1, 1.5, Infinity, "5"]
  ]
}

const isTyped = (error: unknown): error is Error & { readonly _tag: unknown } =>
  error instanceof Error && "_tag" in error

/** What it comes to: what was thrown, failed with, or died of. */
const outcomeOf = (run: () => unknown): unknown => {
  try {
    const made = run()
    if (!Effect.isEffect(made)) return made
    Effect.runSync(made as Effect.Effect<unknown>)
    return "nothing"
  } catch (thrown) {
    return Runtime.isFiberFailure(thrown) ? Cause.squash(thrown[Runtime.FiberFailureCauseId]) : thrown
  }
}

const printed = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}

describe("an argument that is wrong", () => {
  for (const [option, [run, values]] of Object.entries(cases)) {
    it(`is named: ${option}`, () => {
      for (const value of values) {
        const error = outcomeOf(() => run(value))
        ok(isTyped(error), `${printed(value)} comes to ${String(error)}`)
        ok(error.message.startsWith(`${option} is `), `${printed(value)}: ${error.message}`)
        match(error.message, /: expected /)
        ok(!error.message.includes("hunter2"), "what may be secret is not shown")
      }
    })
  }

  it("that has a name which there is not is told the right one", () => {
    const misspelt: ReadonlyArray<readonly [() => unknown, RegExp]> = [
      [() => Wrappers.wrap(client, wrong({ redirect: true })), /did you mean Wrappers\.redirects/],
      [() => Interleavings.explore(wrong({ layer: Layer.empty, actor: [] })), /did you mean Interleavings\.actors/]
    ]
    for (const [run, message] of misspelt) {
      const error = outcomeOf(run)
      ok(isTyped(error))
      match(error.message, message)
    }
  })

  it("is an error of its own where there is one for it: URLs and authorities", () => {
    const pool = Layer.provide(ConnectionPool.layer(), MemoryNetwork.layer())
    for (const value of [undefined, null, 5, {}, "http://a.test"]) {
      const error = Either.match(Origin.fromUrl(wrong(value)), { onLeft: (error) => error, onRight: () => undefined })
      ok(error?._tag === "LocalProtocolError" && error.message.includes("URL"), String(error))
    }
    for (const value of [undefined, null, 5, {}, []]) {
      const explained = outcomeOf(() => Effect.provide(Explanation.explain(wrong(value)), pool))
      ok(isTyped(explained) && explained.message.includes("URL"), String(explained))
      const tunnel = outcomeOf(() => Effect.scoped(Effect.provide(Tunnel.connect(request, wrong(value)), pool)))
      ok(isTyped(tunnel) && tunnel._tag === "LocalProtocolError", String(tunnel))
    }
  })
})
