import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import type { HttpClientLayer } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { sleepyServer } from "./sleepyServer.js"
import { makeClient, turns, until } from "./support.js"

// Issue 15, section 2: the event loop is blocked for longer than a timeout, and what was waited for lies in the kernel. The
// clock is the real one, for it is the kernel that is asked; nothing here depends on how long anything takes but that the
// block is longer than the timeout.

const timeout = 2_000
/** As long as it takes to send a PING, and no timeout. */
const pingInterval = 500
const none = {
  pool: "Infinity",
  connect: "Infinity",
  write: "Infinity",
  headers: "Infinity",
  read: "Infinity"
} as const

type Case = {
  readonly options: HttpClientLayer.Options
  readonly url: (server: Effect.Effect.Success<typeof sleepyServer>) => string
  readonly request?: (url: string) => HttpClientRequest.HttpClientRequest
  /** What goes before it, over the same client. */
  readonly before?: string
}

const cases: Record<string, Case> = {
  headers: { options: { timeouts: { ...none, headers: timeout } }, url: ({ plain }) => `${plain}/` },
  read: { options: { timeouts: { ...none, read: timeout } }, url: ({ plain }) => `${plain}/body` },
  total: { options: { timeouts: { ...none, total: timeout } }, url: ({ plain }) => `${plain}/` },
  write: {
    options: { timeouts: { ...none, write: timeout } },
    url: ({ plain }) => `${plain}/upload`,
    request: (url) => HttpClientRequest.post(url, { body: HttpBody.uint8Array(new Uint8Array(16 * 1024 * 1024)) })
  },
  pool: {
    options: { limits: { maxConnections: 1 }, timeouts: { ...none, pool: timeout } },
    url: ({ plain }) => `${plain}/`,
    before: "/"
  },
  "the TLS handshake": {
    options: { timeouts: { ...none, connect: timeout } },
    url: ({ secure }) => `${secure}/at-once`
  },
  "the look-up": {
    options: { timeouts: { ...none, connect: timeout } },
    url: ({ plain }) => `${plain.replace("127.0.0.1", "some.test")}/at-once`
  },
  "read over HTTP/2": {
    options: { http2: { priorKnowledge: true }, timeouts: { ...none, read: timeout } },
    url: ({ h2 }) => `${h2}/`,
    before: "/at-once"
  },
  "an HTTP/2 PING": {
    options: { http2: { priorKnowledge: true, pingInterval, pingTimeout: timeout - pingInterval }, timeouts: none },
    url: ({ h2 }) => `${h2}/`,
    before: "/at-once"
  }
}

describe("A loop that was blocked for longer than a timeout", { timeout: 30_000 }, () => {
  it.live("reads what has come before it fails", () =>
    Effect.scoped(Effect.gen(function*() {
      const server = yield* sleepyServer
      const clients = yield* Effect.forEach(Object.entries(cases), ([name, { before, options, request, url }]) =>
        Effect.gen(function*() {
          const { client, pool } = yield* makeClient({ ...options, lookup: server.lookup, tls: { ca: server.ca } })
          const target = url(server)
          if (before === "/at-once") {
            yield* Effect.flatMap(client.get(new URL(before, target)), (_) =>
              _.text)
          }
          const first = before === "/" ? yield* Effect.fork(client.get(new URL(before, target))) : undefined
          if (first !== undefined) yield* until(() => pool.unsafeStats().leases === 1)
          return { name, pool, first, send: client.execute((request ?? HttpClientRequest.get)(target)) }
        }))
      // What is to be in the kernel of the server before it sleeps.
      yield* turns(20)
      const sent = yield* Effect.forEach(clients, ({ name, pool, send, first }) =>
        Effect.gen(function*() {
          if (name === "the TLS handshake") {
            yield* Effect.sync(() =>
              server.sleep()
            )
          }
          const fiber = yield* Effect.fork(Effect.either(Effect.flatMap(send, (_) => _.text)))
          yield* until(() => pool.unsafeStats().leases + pool.unsafeStats().waiting > 0)
          yield* turns(20)
          return { name, fiber, first }
        }))
      yield* Effect.sleep(pingInterval + 100)
      yield* Effect.sync(() => server.block(timeout * 1.5))
      const outcomes = yield* Effect.forEach(sent, ({ fiber, name }) =>
        Effect.map(
          Fiber.join(fiber),
          (outcome) => [name, outcome._tag === "Right" ? outcome.right : outcome.left.message]
        ))
      assert.deepStrictEqual(outcomes, Object.keys(cases).map((name) => [name, "ok"]))
    })))
})
