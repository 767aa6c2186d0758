import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import { HttpClientLayer } from "@sluice/node"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** A client with its pool, until the test's Scope ends. */
export const makeClient = (options: HttpClientLayer.Options = {}) =>
  Effect.map(Layer.build(HttpClientLayer.layer(options)), (context) => ({
    client: Context.get(context, PooledHttpClient.PooledHttpClient),
    pool: Context.get(context, ConnectionPool.ConnectionPool)
  }))

/** Lets sockets and fibers move, in real time, until something holds. */
export const until = (holds: () => boolean, what = "what was waited for"): Effect.Effect<void> =>
  Effect.async((resume) => {
    let turns = 0
    const look = () => {
      if (holds()) resume(Effect.void)
      else if (turns++ > 20_000) resume(Effect.die(new Error(`${what} did not happen`)))
      else setImmediate(look)
    }
    look()
  })
