import { RequestError } from "@effect/platform/HttpClientError"
import { describe, it } from "@effect/vitest"
import { Failure } from "@sluice/engine"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Inspectable from "effect/Inspectable"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as assert from "node:assert"
import { inspect } from "node:util"
import * as ConnectionPool from "../src/ConnectionPool.js"
import { ContentCodingError } from "../src/ContentCoding.js"
import { CookieStoreError } from "../src/Cookies.js"
import { InvalidLine } from "../src/JsonLines.js"
import * as Limits from "../src/Limits.js"
import * as PooledHttpClient from "../src/PooledHttpClient.js"
import { EventTooLarge, NotAnEventStream } from "../src/Sse.js"
import { settle } from "../src/testing/settle.js"
import * as TransportError from "../src/TransportError.js"
import { a, b } from "./pool/support/origins.js"
import { open, send, take } from "./pool/support/pool.js"

const counts = { open: 1, active: 1, idle: 0, dialing: 0, closing: 0, waiting: 1 }
const pool = {
  ...counts,
  maxConnections: 1,
  maxConnectionsPerOrigin: Infinity,
  origin: counts,
  longestHeld: [{ method: "GET", url: "http://a.test/slow", age: 12_000, bodyUnread: true }],
  heldByThisFiber: 0,
  heldByKin: 0
}
const origin = "http://a.test"
const sent = { origin, phase: "headers", written: true, safeToRetry: true } as const
const systemError = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), {
  code: "ECONNREFUSED",
  syscall: "connect"
})

const all: { readonly [Tag in Failure.FailureTag]: Failure.FailureOf<Tag> } = {
  PoolTimeout: Failure.poolTimeout({ origin, waited: 5000, position: 1, pool }),
  PoolClosed: Failure.poolClosed({ origin }),
  PoolQueueFull: Failure.poolQueueFull({ origin, maxPendingRequests: 1, pool }),
  ConnectTimeout: Failure.connectTimeout({ origin, timeout: 5000 }),
  ConnectError: Failure.connectError({
    origin,
    reason: "Refused",
    detail: "nothing listens there",
    cause: systemError
  }),
  AddressNotAllowed: Failure.addressNotAllowed({ origin, address: "10.0.0.1", detail: "it is private" }),
  TlsError: Failure.tlsError({ origin, reason: "Expired", detail: "the certificate has expired" }),
  ProxyError: Failure.proxyError({
    origin,
    proxy: "http://proxy.test:3128",
    reason: "Authentication",
    phase: "connect",
    written: false,
    safeToRetry: false,
    detail: "it said no",
    status: 407
  }),
  UnsupportedProtocol: Failure.unsupportedProtocol({ origin: "", protocol: "ftp:" }),
  LocalProtocolError: Failure.localProtocolError({ origin, reason: "InvalidHeader", detail: "a space in a name" }),
  ReadTimeout: Failure.readTimeout({ ...sent, timeout: 5000 }),
  ReadError: Failure.readError({ ...sent, reason: "Ended", detail: "it ended" }),
  WriteTimeout: Failure.writeTimeout({ ...sent, timeout: 5000 }),
  WriteError: Failure.writeError({ ...sent, detail: "it broke" }),
  HeadersTimeout: Failure.headersTimeout({ ...sent, timeout: 5000 }),
  TotalTimeout: Failure.totalTimeout({ ...sent, timeout: Infinity }),
  RemoteProtocolError: Failure.remoteProtocolError({ ...sent, code: "InvalidStatusLine", detail: "what" }),
  StreamReset: Failure.streamReset({ ...sent, code: "INTERNAL_ERROR" }),
  BodyAbandoned: Failure.bodyAbandoned({ ...sent, reason: "Unread" }),
  ResponseTooLarge: Failure.responseTooLarge({ ...sent, maxResponseSize: 1 }),
  RequestBodyError: Failure.requestBodyError({ ...sent, cause: new Error("the source failed") })
}
const failures: ReadonlyArray<Failure.Failure> = Object.values(all)

const others = [
  Either.getOrThrow(Either.flip(Limits.resolve({ maxConnections: -1 } as never))),
  new InvalidLine({ line: 1, reason: "NotJson" }),
  new ContentCodingError({ reason: "Truncated", coding: "gzip", detail: "it ends too early" }),
  new CookieStoreError({ operation: "load", cause: new Error("s3cret") }),
  new EventTooLarge({ maxEventSize: 1 }),
  new NotAnEventStream({
    response: { status: 404, headers: {}, request: { method: "GET", url: "http://a.test/" } } as never
  })
]

const errors = [...failures.map(TransportError.fromFailure), ...others]

/** What a logger wrote. */
const logged = (logger: Logger.Logger<unknown, string>, effect: Effect.Effect<void>) =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    const kept = Logger.map(logger, (line) => void lines.push(line))
    return Effect.as(Effect.provide(effect, Logger.replace(Logger.defaultLogger, kept)), lines)
  }).pipe(Effect.map((lines) => lines.join("\n")))

describe("an error printed", () => {
  for (const error of errors) {
    it.effect(`says the same in every form: ${error._tag}`, () =>
      Effect.gen(function*() {
        const { message } = error
        const json = JSON.parse(JSON.stringify(error)) as Record<string, unknown>
        assert.deepStrictEqual([json["_tag"], json["message"]], [error._tag, message])
        // In JSON a number that is not finite is null, and a Map an empty object.
        assert.doesNotMatch(JSON.stringify(error), /:null|s3cret/)
        const first = message.split("\n")[0]
        assert.ok((error as Error).stack?.includes(first))
        assert.ok(inspect(error).includes(first))
        assert.ok(Inspectable.toStringUnknown(error).includes(JSON.stringify(first).slice(1, -1)))
        assert.ok(Cause.pretty(Cause.fail(error)).includes(first))
        assert.ok((yield* logged(Logger.jsonLogger, Effect.log(error))).includes(JSON.stringify(message)))
        assert.ok((yield* logged(Logger.jsonLogger, Effect.logError("failed", Cause.fail(error)))).includes(
          JSON.stringify(first).slice(1, -1)
        ))
      }))
  }

  it("has no frames of this library, which says nothing about where it was called", () => {
    for (const failure of failures) {
      const error = TransportError.fromFailure(failure)
      assert.doesNotMatch(error.stack ?? "", /^\s+at /m)
    }
    // And others still have theirs.
    assert.match(new Error("other").stack ?? "", /^\s+at /m)
  })

  // What a caller's stream fails with may be anything.
  const itself: Record<string, unknown> = { _tag: "Mine" }
  itself["again"] = { inside: [itself] }
  const loop = new Error("the source failed")
  loop.cause = loop
  const endless = {
    toJSON: (): unknown => ({ endless }),
    get more(): unknown {
      return { ...endless }
    }
  }
  const throwing = {
    toJSON: () => {
      throw new Error("no form")
    }
  }
  const causes: ReadonlyArray<readonly [string, unknown, RegExp]> = [
    ["contains itself", itself, /"\[circular\]"/],
    ["is its own cause", loop, /"message":"the source failed","cause":"\[circular\]"/],
    ["has no end", endless, /"\[…\]"|circular/],
    ["cannot be printed", throwing, /"cause":"\[no form\]"/],
    ["is a megabyte", { bytes: new Uint8Array(1_000_000) }, /"\[1000000 bytes\]"/],
    ["is a long list", { rows: Array.from({ length: 10_000 }, (_, n) => n) }, /"\[9900 more\]"/],
    ["is several", new AggregateError([new Error("one"), new Error("two")], "both failed"), /"message":"two"/],
    ["is a number that JSON has not", { size: 1n, rate: NaN }, /"size":"1","rate":"NaN"/]
  ]
  it.each(causes)("whose cause %s is printed all the same, and shortly", (_, cause, expected) => {
    const json = JSON.stringify(TransportError.fromFailure(Failure.requestBodyError({ ...sent, cause })))
    assert.match(json, expected)
    assert.ok(json.length < 3000, `${json.length}`)
  })

  it("keeps what it has of a system's error", () => {
    const [refused] = errors.filter((_) => _._tag === "ConnectError")
    const json = JSON.parse(JSON.stringify(refused)) as { cause: object }
    assert.deepStrictEqual(json.cause, {
      name: "Error",
      message: "connect ECONNREFUSED 127.0.0.1:1",
      code: "ECONNREFUSED",
      syscall: "connect"
    })
  })
})

describe("a PoolTimeout in a log", () => {
  const inClient = Effect.gen(function*() {
    const world = yield* open({ limits: { maxConnections: 1 } })
    yield* take(world.pool, a)
    return yield* Effect.flip(
      PooledHttpClient.makeHttpClient({ timeouts: { pool: 0 } }).pipe(
        Effect.provideService(ConnectionPool.ConnectionPool, world.pool),
        Effect.flatMap((client) => client.get(a.href)),
        Effect.withSpan("theCaller")
      )
    )
  })

  it.scoped("has the snapshot once, who called, and no frames", () =>
    Effect.gen(function*() {
      const error = yield* inClient
      assert.ok(error instanceof RequestError)
      const text = yield* logged(Logger.logfmtLogger, Effect.logError("failed", Cause.fail(error)))
      assert.strictEqual(text.split("connection open").length, 2, text)
      assert.doesNotMatch(text, /packages\/|node_modules/)
      assert.ok(text.length < 1500, `${text.length}`)
      assert.match(
        error.message,
        /Held longest by ACQUIRE http:\/\/a\..* read or discard .* or raise limits\.maxConnections/
      )
    }))
})

describe("the state of a pool as JSON", () => {
  it.scoped("has its origins, and says Infinity", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({ limits: { maxConnections: Infinity } })
      yield* send(pool, a)
      const json = JSON.parse(JSON.stringify(pool.unsafeStats())) as Record<string, unknown>
      assert.strictEqual(json["maxConnections"], "Infinity")
      assert.deepStrictEqual(Object.keys(json["origins"] as object), [a.key])
      assert.strictEqual(JSON.parse(JSON.stringify(yield* pool.limits)).maxConnections, "Infinity")
      // Whoever logs the service itself gets that, and not all that it is made of.
      for (const text of [Inspectable.toStringUnknown(pool), inspect(pool, { depth: Infinity })]) {
        assert.match(text, /ConnectionPool[^]*maxConnections/)
        assert.ok(text.length < 1500, `${text.length}`)
      }
      const { lease } = yield* take(pool, a)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(lease)), {
        connection: { id: 1, protocol: "http/1.1", remoteAddress: "memory" },
        reused: true,
        idleTime: 0
      })
    }))

  it.scoped("and what happens in it, says of errors what they say", () =>
    Effect.gen(function*() {
      const { pool } = yield* open({
        network: {
          dial: ({ origin }) =>
            origin.host === a.host
              ? Effect.succeed({ protocol: "h2", capacity: Infinity })
              : Effect.fail(TransportError.fromFailure(Failure.connectError({
                origin: origin.href,
                reason: "Refused",
                detail: "nothing listens there",
                cause: systemError
              })))
        }
      })
      const events: Array<Record<string, unknown>> = []
      yield* Effect.forkScoped(
        Stream.runForEach(pool.events, (event) => Effect.sync(() => events.push(JSON.parse(JSON.stringify(event)))))
      )
      yield* settle
      yield* take(pool, a)
      yield* Effect.flip(take(pool, b))
      yield* settle
      const [made] = events.filter(({ _tag }) => _tag === "DialSucceeded")
      // What every client takes until a server sets a limit.
      assert.strictEqual(made["capacity"], 100)
      const [failed] = events.filter(({ _tag }) => _tag === "DialFailed")
      assert.match(
        (failed["error"] as { readonly message: string }).message,
        /^Could not connect to .*: nothing listens there$/
      )
      assert.doesNotMatch(JSON.stringify(events), /:null/)
    }))
})
