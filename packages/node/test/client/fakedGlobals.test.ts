import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks"
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { afterEach, vi } from "vitest"
import { makeClient } from "./support.js"
import { workerServer } from "./workerServer.js"

// Tests of applications fake time, and hardened programs lock what they share. Requests go through all the same.

afterEach(() => {
  vi.useRealTimers()
})

const everyRequest = (url: string) => ({
  get: HttpClientRequest.get(url),
  head: HttpClientRequest.head(url),
  "a stream": HttpClientRequest.post(url).pipe(HttpClientRequest.bodyStream(Stream.make(new Uint8Array(10)))),
  "a large body": HttpClientRequest.post(url).pipe(HttpClientRequest.bodyUint8Array(new Uint8Array(1 << 20)))
})

const transports = {
  "HTTP/1.1": { tls: false, http2: false },
  "HTTP/1.1 over TLS": { tls: true, http2: false },
  "HTTP/2": { tls: false, http2: "prior-knowledge" },
  "HTTP/2 over TLS": { tls: true, http2: true }
} as const

// The server needs its own timers, so it is in another thread where it speaks HTTP/1.1.
describe.each(["http", "https"])("Faked timers, %s", (scheme) => {
  for (
    const [name, toFake] of Object.entries({
      "vitest's default": undefined,
      "all that there is": [
        ...["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate", "clearImmediate"],
        ...["Date", "performance", "queueMicrotask", "hrtime"]
      ]
    } as Record<string, any>)
  ) {
    it.scopedLive(`${name}: requests go through`, () =>
      Effect.gen(function*() {
        const server = yield* workerServer(scheme === "https", {})
        const { client } = yield* makeClient({ tls: { ca: server.ca } })
        vi.useFakeTimers(toFake === undefined ? undefined : { toFake })
        for (let round = 0; round < 3; round++) {
          for (const request of Object.values(everyRequest(`${server.url}/second`))) {
            const response = yield* client.execute(request)
            assert.strictEqual(yield* response.text, request.method === "HEAD" ? "" : "own")
          }
        }
        vi.useRealTimers()
        assert.strictEqual(
          yield* Effect.flatMap(client.get(`${server.url}/second`), (response) => response.text),
          "own"
        )
      }))
  }

  it.scopedLive("what was replaced by hand after loading is not called", () =>
    Effect.gen(function*() {
      const server = yield* workerServer(scheme === "https", {})
      const { client } = yield* makeClient({ tls: { ca: server.ca } })
      const real = { setImmediate, setTimeout, queueMicrotask }
      yield* Effect.addFinalizer(() => Effect.sync(() => Object.assign(globalThis, real)))
      Object.assign(globalThis, { setImmediate: () => 0, queueMicrotask: () => {} })
      for (const request of Object.values(everyRequest(`${server.url}/second`))) {
        yield* Effect.flatMap(client.execute(request), (response) => response.text)
      }
    }))
})

const compiled = fileURLToPath(new URL("../../dist/index.js", import.meta.url))
const why = existsSync(compiled) ? undefined : "the packages have not been compiled: npm run build"

describe(`Timers that were faked before the client was loaded${why === undefined ? "" : ` (skipped: ${why})`}`, () => {
  const run = (how: string) => {
    const program = fileURLToPath(new URL("fakedBefore.mjs", import.meta.url))
    const { stderr, stdout } = spawnSync(process.execPath, [program, how], { encoding: "utf8", timeout: 60_000 })
    assert.notStrictEqual(stdout, "", stderr)
    return JSON.parse(stdout)
  }

  it.skipIf(why !== undefined)("by hand: requests go through", { timeout: 60_000 }, () => {
    assert.deepStrictEqual(run("by hand"), { faked: "Success", after: "Success" })
  })

  // It takes those of node:timers as well: nothing is left to go by, until they are real again.
  it.skipIf(why !== undefined)("by node:test: requests go through when it is reset", { timeout: 60_000 }, () => {
    assert.deepStrictEqual(run("node:test").after, "Success")
  })
})

describe.each(Object.entries(transports))("Locked prototypes, %s", (_, { http2, tls }) => {
  it.scopedLive("requests go through, in their context", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ tls, http2: http2 !== false, replies: { "/": Reply.echo() } })
      const { client } = yield* makeClient({ http2, ...(server.ca === undefined ? {} : { tls: { ca: server.ca } }) })
      // As hardening does (SES, --frozen-intrinsics): what cannot be taken back is done to this file's process alone.
      for (
        const shared of [AsyncResource.prototype, AsyncResource, Promise.prototype, Map.prototype, Uint8Array.prototype]
      ) {
        Object.freeze(shared)
      }
      const store = new AsyncLocalStorage<string>()
      for (const request of Object.values(everyRequest(`${server.url}/`))) {
        const seen = yield* Effect.promise(() =>
          store.run("alice", () =>
            Effect.runPromise(
              Effect.flatMap(client.execute(request), (response) => response.arrayBuffer).pipe(
                Effect.map(() => store.getStore())
              )
            ))
        )
        assert.strictEqual(seen, "alice")
      }
    }))
})
