import { assert, describe, it } from "@effect/vitest"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import { AsyncResource, createHook, executionAsyncId } from "node:async_hooks"
import { answer, engine, makeClient, startPeer } from "./support.js"

// `openStream` keeps Node from binding each request to an asynchronous context; nobody else may notice.
describe.skipIf(engine === "own")("Opening a stream", () => {
  /** Node's own. */
  const { bind } = AsyncResource.prototype

  it.scoped("binds what a hook of somebody else binds meanwhile", () =>
    Effect.gen(function*() {
      const { get, peer } = yield* startPeer()
      const bound: Array<() => number> = []
      const hook = createHook({
        init: (_, type) => {
          if (type === "HTTP2STREAM" || type === "PendingRequest") {
            bound.push(new AsyncResource("Somebody").bind(() => executionAsyncId()))
          }
        }
      })
      yield* Effect.acquireRelease(Effect.sync(() => hook.enable()), () => Effect.sync(() => hook.disable()))
      const request = yield* get()
      const connection = yield* peer.accept
      const { streamId } = yield* connection.take("Headers")
      yield* connection.send(...answer(streamId))
      assert.strictEqual(yield* request, "ok")
      hook.disable()
      assert.isAtLeast(bound.length, 2)
      for (const run of bound) assert.notStrictEqual(run(), executionAsyncId())
      assert.strictEqual(AsyncResource.prototype.bind, bind)
    }))

  it.scoped("works with what somebody else has put in the place of bind, and with one that cannot be replaced", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ http2: true, replies: { "/": Reply.text("ok") } })
      const { client } = yield* makeClient({ http2: "prior-knowledge" })
      const text = Effect.flatMap(client.get(server.url), (response) => response.text)
      const theirs = function(this: AsyncResource, ...args: ReadonlyArray<unknown>) {
        return bind.apply(this, args as never) as never
      }
      const define = (value: unknown, writable: boolean) =>
        Effect.sync(() =>
          Object.defineProperty(AsyncResource.prototype, "bind", {
            value,
            writable,
            configurable: true,
            enumerable: false
          })
        )
      yield* Effect.addFinalizer(() => define(bind, true))
      yield* define(theirs, true)
      assert.strictEqual(yield* text, "ok")
      assert.strictEqual(AsyncResource.prototype.bind as unknown, theirs)
      yield* define(theirs, false)
      assert.strictEqual(yield* text, "ok")
    }))
})
