import type { ConnectionListener } from "@sluice/core/Connection"
import type { Origin } from "@sluice/core/Origin"
import type { Failure } from "@sluice/engine"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Resolved } from "../Http2Options.js"
import type { Dialed } from "./dial.js"
import { Http2Connection } from "./Http2Connection.js"

/**
 * Speaks HTTP/2 on a socket, from the preface on. The connection is made when the server has said in its SETTINGS how
 * much it takes at once: that costs a cold start what a request would wait for anyway if it had to be sent again.
 */
export const connect = (
  dialed: Dialed,
  origin: Origin,
  listener: ConnectionListener,
  options: Resolved,
  tlsTime: number | undefined,
  onHttp1Required: (origin: Origin) => void
): Effect.Effect<Http2Connection, Failure.Failure, Scope.Scope> =>
  Effect.gen(function*() {
    const runtime = yield* Effect.runtime<never>()
    const greeting = yield* Deferred.make<void, Failure.Failure>()
    // Node takes what was read before from the socket.
    for (const bytes of dialed.takeEarly()) dialed.socket.push(bytes)
    const connection = yield* Effect.acquireRelease(
      Effect.sync(() =>
        new Http2Connection({
          socket: dialed.socket,
          origin,
          listener,
          options,
          runtime,
          tlsTime,
          onHttp1Required,
          onGreeted: (error) => Deferred.unsafeDone(greeting, error === undefined ? Effect.void : Effect.fail(error))
        })
      ),
      (connection) => Effect.sync(() => connection.shutdown())
    )
    yield* Deferred.await(greeting)
    return connection
  })
