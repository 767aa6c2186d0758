import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Redirects from "@sluice/core/Redirects"
import { Reply, TestServer } from "@sluice/test-server"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import { inspect } from "node:util"
import { makeClient, until } from "./support.js"

// Every secret that a request can hold, in every way that something of it can be printed. Each has a word of its own, so
// that a failure says which of them was seen.
class StreamsOwn extends Data.TaggedError("StreamsOwn") {}

const secrets = {
  user: "Usr8f3c",
  password: "Pwd8f3c",
  query: "Qry8f3c",
  nameless: "Nnm8f3c",
  parameter: "Prm8f3c",
  fragment: "Frg8f3c",
  authorization: "Ath8f3c",
  cookie: "Ckk8f3c",
  apiKey: "Key8f3c",
  unusual: "Odd8f3c",
  body: "Bdy8f3c",
  path: "Pth8f3c"
}

const redactPath = (path: string) => path.replace(secrets.path, "…")

const request = (origin: string) =>
  HttpClientRequest.post(
    `${origin.replace("://", `://${secrets.user}:${secrets.password}@`)}/${secrets.path}?token=${secrets.query}&` +
      `${secrets.nameless}#${secrets.fragment}`
  ).pipe(
    HttpClientRequest.setUrlParam("other", secrets.parameter),
    HttpClientRequest.setHeaders({
      cookie: `session=${secrets.cookie}`,
      "x-api-key": secrets.apiKey,
      "x-something-of-ours": secrets.unusual
    }),
    HttpClientRequest.bodyText(`{"password":"${secrets.body}"}`)
  )

/** Basic credentials are no less readable for being base64. */
const encoded = [secrets.user, secrets.password].map((secret) => Buffer.from(secret).toString("base64").slice(0, 6))

const seenIn = (text: string): ReadonlyArray<string> =>
  [...Object.entries(secrets), ...encoded.map((text) => ["encoded", text] as const)]
    .flatMap(([name, secret]) => text.toLowerCase().includes(secret.toLowerCase()) ? [name] : [])

const lines = (value: unknown) => {
  const logged: Array<string> = []
  const log = (logger: Logger.Logger<unknown, string>) => Logger.map(logger, (line) => void logged.push(line))
  const each = Layer.mergeAll(
    Logger.remove(Logger.defaultLogger),
    Logger.add(log(Logger.logfmtLogger)),
    Logger.add(log(Logger.jsonLogger)),
    Logger.add(log(Logger.stringLogger))
  )
  const cause = Cause.fail(value)
  Effect.runSync(
    Effect.logError("failed", value, cause).pipe(
      Effect.annotateLogs("value", value),
      Effect.provide(each)
    )
  )
  return logged.join("\n")
}

const printings: Record<string, (value: unknown) => string> = {
  "String()": String,
  "a template": (value) => `${value as string}`,
  "message": (value) => value instanceof Error ? value.message : "",
  "stack": (value) => value instanceof Error ? `${value.stack}` : "",
  "JSON": (value) => JSON.stringify(value) ?? "",
  "inspect": (value) => inspect(value, { depth: 20, showHidden: true, getters: true }),
  "inspect of a wrapper": (value) =>
    inspect({ value, list: [value], error: new Error("outer", { cause: value }) }, { depth: 20 }),
  "format": (value) => Inspectable.format(value),
  "Cause.pretty": (value) => Cause.pretty(Cause.fail(value), { renderErrorCause: true }),
  "JSON of an Exit": (value) => JSON.stringify(Exit.fail(value)),
  "loggers": lines
}

const check = (what: string, value: unknown) => {
  const seen = Object.entries(printings).flatMap(([how, print]) => {
    const names = seenIn(print(value))
    return names.length === 0 ? [] : [`${what}, ${how}: ${names.join(", ")}`]
  })
  assert.deepStrictEqual(seen, [])
}

/** All that spans recorded. */
const recorder = () => {
  const text: Array<string> = []
  const span = (name: string): Tracer.Span => {
    const note = (...what: ReadonlyArray<unknown>) => void text.push(inspect(what, { depth: 20 }), JSON.stringify(what))
    return {
      _tag: "Span",
      name,
      spanId: "1",
      traceId: "2",
      parent: Option.none(),
      context: undefined as never,
      status: { _tag: "Started", startTime: 0n },
      attributes: new Map(),
      links: [],
      sampled: true,
      kind: "client",
      end: (_, exit) => note(exit),
      attribute: note,
      event: note,
      addLinks: () => {}
    }
  }
  const tracer: Tracer.Tracer = {
    "~effect/Tracer": "~effect/Tracer",
    span: (name: string) => (text.push(name), span(name)),
    context: (f: () => unknown) => f()
  } as never
  return { text, tracer }
}

describe("No secret of a request is shown", () => {
  const server = TestServer.make({
    replies: {
      [`/${secrets.path}`]: Reply.text("not json", { status: 404, headers: { "set-cookie": `a=${secrets.cookie}` } }),
      "/never": Reply.never
    }
  })

  it.scopedLive("by errors of the transport", () =>
    Effect.gen(function*() {
      const { url } = yield* server
      const { client, typed } = yield* makeClient({ redactPath, timeouts: { headers: "50 millis" } })
      const never = HttpClientRequest.setUrl(request(url), request(url).url.replace(secrets.path, `never/../never`))
      const broken = HttpClientRequest.bodyStream(request(url), Stream.fail(new StreamsOwn()))
      for (
        const [what, failing] of Object.entries({
          "refused": client.execute(request("http://127.0.0.1:1")),
          "refused, typed": typed.execute(request("http://127.0.0.1:1")),
          "too late": client.execute(never),
          "a broken body": client.execute(broken)
        })
      ) {
        check(what, yield* Effect.flip(failing as Effect.Effect<unknown, unknown>))
      }
    }))

  it.scopedLive("by responses, and errors made of them", () =>
    Effect.gen(function*() {
      const { url } = yield* server
      const { client } = yield* makeClient({ redactPath })
      const response = yield* client.execute(request(url))
      check("the response", response)
      check("its request", response.request)
      check("JSON that is none", yield* Effect.flip(response.json))
      assert.strictEqual((yield* client.execute(response.request)).status, 404)
    }))

  it.scopedLive("by the platform's own errors, but for the path", () =>
    Effect.gen(function*() {
      const { url } = yield* server
      const { client } = yield* makeClient()
      const error = yield* Effect.flip(HttpClient.filterStatusOk(client).execute(request(url)))
      const all = Object.entries(printings).flatMap(([how, print]) =>
        seenIn(print(error)).filter((name) => name !== "path").map((name) => `${how}: ${name}`)
      )
      assert.deepStrictEqual(all, [])
    }))

  it.scopedLive("by a waiter for the pool whose requests are another's", () =>
    Effect.gen(function*() {
      const { url } = yield* server
      const { client, pool } = yield* makeClient({
        redactPath,
        limits: { maxConnections: 1 },
        timeouts: { pool: "30 millis" }
      })
      const first = HttpClientRequest.setBody(
        request(url),
        HttpClientRequest.bodyStream(request(url), Stream.never).body
      )
      const owner = yield* Effect.fork(client.execute(first))
      yield* until(() => pool.unsafeStats().leases === 1)
      const error = yield* Effect.flip(client.get(`${url}/other`))
      assert.include(String(error), "/…")
      check("PoolTimeout", error)
      yield* Fiber.interrupt(owner)
    }))

  it.scopedLive("by URLs that do not parse, or parse as something else than meant", () =>
    Effect.gen(function*() {
      const { client } = yield* makeClient()
      const { password, user } = secrets
      for (
        const url of [
          `http:/${user}:${password}@localhost:1/`,
          `http:\\\\${user}:${password}@localhost:1/`,
          `http://${user}:a/${password}@localhost:1/`,
          `${user}:${password}@localhost:1/`,
          `//${user}:${password}@localhost:1/`,
          `http://${user}:${password}@`,
          `http://${user}:${password}@[::1/`,
          `http://localhost:99999/?${password}`,
          `ftp://${user}:${password}@localhost/`,
          `http://[fe80::1%25${user}]:${password}@/`
        ]
      ) {
        const error = yield* Effect.flip(client.get(url))
        const seen = Object.entries(printings).flatMap(([how, print]) =>
          seenIn(print(error)).map((name) => `${how}: ${name}`)
        )
        // What has parsed as a path is a path.
        if (!url.includes(":a/")) assert.deepStrictEqual(seen, [], url)
      }
    }))

  it.scopedLive("by the redirects that led to a response", () =>
    Effect.gen(function*() {
      const { fragment, parameter, password, path, query, user } = secrets
      const to = `/${path}?token=${query}&${parameter}#${fragment}`
      const redirecting = yield* TestServer.make({
        replies: {
          "/to": Reply.empty({ status: 302, headers: { location: to } }),
          "/elsewhere": Reply.empty({ status: 302, headers: { location: `ftp://${user}:${password}@a.test${to}` } }),
          [`/${path}`]: Reply.empty()
        }
      })
      const { client } = yield* makeClient({ redactPath, redirects: true })
      const history = Redirects.history(yield* client.get(`${redirecting.url}/to?token=${query}`))
      assert.strictEqual(history[0].location, `${redirecting.url}${to}`)
      check("the history", history)
      check("the error", yield* Effect.flip(client.get(`${redirecting.url}/elsewhere`)))
    }))

  it.scopedLive("by what is wrong with requests and options", () =>
    Effect.gen(function*() {
      const { client } = yield* makeClient()
      const { apiKey, password, user } = secrets
      const get = HttpClientRequest.get("http://127.0.0.1:1/")
      for (
        const headers of [
          { [`authorization: bearer ${apiKey}`]: "x" },
          { [`x-api-key ${apiKey}`]: "x" },
          { authorization: `${apiKey}\n` },
          { host: `${user}:${password}@a.test` }
        ]
      ) {
        const error = yield* Effect.flip(client.execute(HttpClientRequest.setHeaders(get, headers)))
        // The request itself has the name, as it was given.
        assert.deepStrictEqual(seenIn(error.message), [], error.message)
      }
      const userinfo = `${user}:${password}@a.test`
      const wrong: ReadonlyArray<unknown> = [
        { origins: { [`http://${userinfo}`]: { proxy: "ftp://b" } } },
        { origins: { [userinfo]: { timeouts: { raed: 1 } } } },
        { origins: () => ({ proxy: `http://${userinfo}:x` }) },
        { resolve: { [userinfo]: "b c" } },
        { resolve: { "a.test": `http://${userinfo}` } },
        { proxy: `http://${userinfo}:99999` },
        { proxy: { url: "http://b", noProxy: [`http://${userinfo}`] } },
        { addressPolicy: { deny: [userinfo] } },
        { reserved: { origins: [userinfo] } },
        { credentials: { [`http://${userinfo}`]: {} } }
      ]
      for (const options of wrong) {
        const made = Effect.flatMap(makeClient(options as never), ({ client }) => client.execute(get))
        const error = yield* Effect.flip(made)
        assert.deepStrictEqual(seenIn(inspect(error)), [])
      }
    }))

  it.scopedLive("of a response by what fails after it", () =>
    Effect.gen(function*() {
      // Its connection is used again, and what comes next is no response but the rest of the last one.
      const rest = yield* TestServer.make({
        replies: {
          "*": [Reply.raw(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok`), Reply.raw(`${secrets.body}\r\n\r\n`)]
        }
      })
      const { client } = yield* makeClient({ limits: { maxConnections: 1 } })
      yield* Effect.flatMap(client.get(rest.url), ({ text }) => text)
      const error = yield* Effect.flip(client.post(rest.url))
      assert.include(error.message, "broke the protocol")
      assert.deepStrictEqual(seenIn(inspect(error)), [])
    }))

  it.scopedLive("by spans", () =>
    Effect.gen(function*() {
      const { url } = yield* server
      const { client } = yield* makeClient({ redactPath })
      const { text, tracer } = recorder()
      yield* Effect.withTracer(client.execute(request(url)), tracer)
      yield* Effect.flip(Effect.withTracer(client.execute(request("http://127.0.0.1:1")), tracer))
      assert.isAbove(text.length, 10)
      assert.deepStrictEqual(seenIn(text.join("\n")), [])
    }))

  it.scopedLive("a hook that throws shows nothing, and its request goes through", () =>
    Effect.gen(function*() {
      const { url } = yield* server
      const { client } = yield* makeClient({
        redactPath: () => {
          throw new Error(secrets.path)
        }
      })
      const response = yield* client.execute(request(url))
      assert.strictEqual(response.status, 404)
      check("the response", response)
    }))
})
