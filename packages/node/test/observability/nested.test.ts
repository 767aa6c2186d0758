import { assert, describe, it } from "@effect/vitest"
import type * as TransportError from "@sluice/core/TransportError"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Request from "effect/Request"
import * as RequestResolver from "effect/RequestResolver"
import * as Runtime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { failure, makeClient } from "../client/support.js"
import { measured } from "./measured.js"
import { recording } from "./support.js"

const setup = Effect.gen(function*() {
  const gate = yield* Gate.make
  yield* Effect.addFinalizer(() => gate.open)
  const server = yield* TestServer.make({
    replies: { "/": Reply.text("ok"), "/rest": Reply.chunks(["the first bytes", gate, "the last"]) }
  })
  const name = `nested: ${server.port}`
  const { client, pool } = yield* makeClient({
    name,
    limits: { maxConnections: 1 },
    timeouts: { pool: 0 },
    unreadBodyGrace: "Infinity"
  })
  const outer = client.get(`${server.url}/rest`)
  const inner = failure(client.get(`${server.url}/`))
  return { inner, name, outer, pool }
})

class Inner extends Request.TaggedClass("Inner")<TransportError.TransportError, unknown, object> {}

type World = Effect.Effect.Success<typeof setup>
type Refused = Effect.Effect<TransportError.TransportError, unknown>

/** A request within the response of another one, which has the only connection: how it is written. */
const variants: Record<string, (world: World) => Refused> = {
  "in the same fiber": ({ inner, outer }) => Effect.zipRight(outer, inner),
  "in the stream of the response, mapEffect": ({ inner, outer }) =>
    Effect.flatMap(
      outer,
      (response) => Effect.flatMap(Stream.runHead(Stream.mapEffect(response.stream, () => inner)), (_) => _)
    ),
  "in the stream of the response, mapEffect with concurrency": ({ inner, outer }) =>
    Effect.flatMap(
      outer,
      (response) =>
        Effect.flatMap(Stream.runHead(Stream.mapEffect(response.stream, () => inner, { concurrency: 4 })), (_) => _)
    ),
  "in the stream of the response, runForEach": ({ inner, outer }) =>
    Effect.flatMap(outer, (response) =>
      Effect.gen(function*() {
        const error = yield* Deferred.make<TransportError.TransportError>()
        yield* Stream.runForEach(response.stream, () =>
          Effect.flatMap(Effect.orDie(inner), (_) => Deferred.succeed(error, _))).pipe(
            Effect.forkScoped
          )
        return yield* Deferred.await(error)
      }).pipe(Effect.scoped)),
  "in a timeout": ({ inner, outer }) => Effect.zipRight(outer, Effect.timeout(inner, "1 hour")),
  "after a timeout around the outer one": ({ inner, outer }) => Effect.zipRight(Effect.timeout(outer, "1 hour"), inner),
  "in Effect.all, concurrently": ({ inner, outer }) =>
    Effect.zipRight(
      outer,
      Effect.map(Effect.all([inner, Effect.void], { concurrency: "unbounded" }), ([error]) => error)
    ),
  "in one of several fibers that read each their own": ({ inner, outer }) =>
    Effect.map(
      Effect.all([Effect.zipRight(outer, inner)], { concurrency: "unbounded" }),
      ([error]) => error
    ),
  "in a race": ({ inner, outer }) => Effect.zipRight(outer, Effect.race(inner, Effect.never)),
  "in a forked fiber": ({ inner, outer }) => Effect.zipRight(outer, Effect.flatMap(Effect.fork(inner), Fiber.join)),
  "in a daemon of a forked fiber": ({ inner, outer }) =>
    Effect.zipRight(
      outer,
      Effect.flatMap(Effect.fork(Effect.flatMap(Effect.forkDaemon(inner), Fiber.join)), Fiber.join)
    ),
  "after a fork that was joined": ({ inner, outer }) =>
    Effect.zipRight(Effect.flatMap(Effect.fork(outer), Fiber.join), inner),
  "in one of a race of all": ({ inner, outer }) => Effect.zipRight(outer, Effect.raceAll([inner, Effect.never])),
  "after the outer one won a race": ({ inner, outer }) => Effect.zipRight(Effect.race(outer, Effect.never), inner),
  "after the outer one was one of several": ({ inner, outer }) =>
    Effect.zipRight(Effect.forEach([1], () => outer, { concurrency: 2 }), inner),
  "in a fiber of the scope": ({ inner, outer }) =>
    Effect.scoped(Effect.zipRight(outer, Effect.flatMap(Effect.forkScoped(inner), Fiber.join))),
  "disconnected": ({ inner, outer }) => Effect.zipRight(outer, Effect.disconnect(inner)),
  "in a stream of streams": ({ inner, outer }) =>
    Effect.flatMap(outer, (response) =>
      Effect.flatMap(
        Stream.runHead(Stream.flatMap(response.stream, () => Stream.fromEffect(inner), { concurrency: 4 })),
        (_) => _
      )),
  "behind a buffer": ({ inner, outer }) =>
    Effect.flatMap(
      outer,
      (response) =>
        Effect.flatMap(
          Stream.runHead(Stream.mapEffect(Stream.buffer(response.stream, { capacity: 2 }), () => inner)),
          (_) => _
        )
    ),
  "in a runtime of the fiber": ({ inner, outer }) =>
    Effect.zipRight(
      outer,
      Effect.flatMap(Effect.runtime<never>(), (runtime) => Effect.promise(() => Runtime.runPromise(runtime)(inner)))
    ),
  "as a request of Effect's": ({ inner, outer }) =>
    Effect.zipRight(outer, Effect.request(new Inner(), RequestResolver.fromEffect(() => inner))),
  "in a retry in a child": ({ inner, outer }) =>
    Effect.zipRight(
      outer,
      Effect.timeout(
        Effect.flip(Effect.retry(Effect.flip(inner), { times: 1, schedule: Schedule.forever })),
        "1 hour"
      )
    ).pipe(Effect.merge, Effect.map((_) => _ as TransportError.TransportError))
}

describe("a request within the response of another, at a limit of 1", () => {
  for (const [name, run] of Object.entries(variants)) {
    it.scoped(`says whose connection it waits for: ${name}`, () =>
      Effect.gen(function*() {
        const world = yield* setup
        const { ended, tracer } = recording()
        const error = yield* Effect.withTracer(run(world), tracer)
        if (error._tag !== "PoolTimeout") return assert.fail(error._tag)
        assert.strictEqual(error.pool.heldByThisFiber + error.pool.heldByKin, 1, error.message)
        assert.match(error.message, /read or discard the first response before the next request/)
        if (error.pool.heldByThisFiber === 0) {
          assert.include(error.message, "held by the fiber that this request was forked from")
        }
        // A log, a graph and a trace say the same.
        assert.include(JSON.stringify(error), JSON.stringify(error.message))
        const refused = { "error.type": "PoolTimeout.nested" }
        assert.isAbove(measured(world.name, "sluice.client.refused_requests", refused), 0)
        assert.isTrue(ended.some(({ attributes }) => attributes["error.type"] === "PoolTimeout"))
      }))
  }

  it.scoped("says nothing of the fibers beside it", () =>
    Effect.gen(function*() {
      const { inner, outer } = yield* setup
      const held = yield* Deferred.make<void>()
      const [, error] = yield* Effect.all(
        [Effect.zipRight(outer, Deferred.succeed(held, undefined)), Effect.zipRight(Deferred.await(held), inner)],
        { concurrency: "unbounded" }
      )
      if (error._tag !== "PoolTimeout") return assert.fail(error._tag)
      assert.strictEqual(error.pool.heldByThisFiber + error.pool.heldByKin, 0)
    }))
})
