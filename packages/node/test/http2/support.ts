import * as HttpBody from "@effect/platform/HttpBody"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import * as TransportError from "@sluice/core/TransportError"
import { HttpClientLayer } from "@sluice/node"
import type { Http2Options } from "@sluice/node"
import { Frame, FramePeer } from "@sluice/test-server"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"

/** A client with its pool, until the test's Scope ends. */
export const makeClient = (options: HttpClientLayer.Options = {}) =>
  Effect.map(Layer.build(HttpClientLayer.layer(options)), (context) => ({
    client: Context.get(context, PooledHttpClient.PooledHttpClient),
    pool: Context.get(context, ConnectionPool.ConnectionPool)
  }))

interface PeerOptions extends FramePeer.Options {
  readonly http2?: Http2Options.Http2Options
  readonly client?: HttpClientLayer.Options
}

/** A peer that speaks frame by frame, and a client that knows that it speaks HTTP/2. */
export const startPeer = ({ client: options, http2, ...peerOptions }: PeerOptions = {}) =>
  Effect.gen(function*() {
    const peer = yield* FramePeer.make(peerOptions)
    const tls = peer.ca === undefined ? undefined : { ca: peer.ca }
    const { client, pool } = yield* makeClient({ http2: { priorKnowledge: true, ...http2 }, tls, ...options })
    return {
      peer,
      pool,
      client,
      /** Sends a request and reads its response, in a fiber of its own. */
      get: (path = "/") => Effect.fork(Effect.flatMap(client.get(peer.url + path), (response) => response.text)),
      post: (body: string) =>
        Effect.fork(Effect.flatMap(
          client.post(peer.url, { body: HttpBody.text(body) }),
          (response) => response.text
        ))
    }
  })

/** The same with a request under way on its first connection, whose HEADERS the peer has taken. */
export const startRequest = (options?: PeerOptions) =>
  Effect.gen(function*() {
    const { get, peer } = yield* startPeer(options)
    const request = yield* get()
    const connection = yield* peer.accept
    const { streamId } = yield* connection.take("Headers")
    return { request, connection, streamId }
  })

/** A whole response. */
export const responseTo = (streamId: number, text = "ok"): ReadonlyArray<Frame.Frame> => [
  Frame.headers(streamId, [[":status", "200"]]),
  Frame.data(streamId, text, { endStream: true })
]

/** Lets sockets and fibers move, in real time, until something holds. */
export const until = (holds: () => boolean, what = "what was waited for"): Effect.Effect<void> =>
  Effect.async((resume) => {
    let turns = 0
    const look = () => {
      if (holds()) resume(Effect.void)
      else if (turns++ > 50_000) resume(Effect.die(new Error(`${what} did not happen`)))
      else setImmediate(look)
    }
    look()
  })

/** Lets time pass in small steps, and sockets move, until the effect has happened. */
export const passing = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(effect)
    for (let n = 0; n < 1000 && Option.isNone(yield* Fiber.poll(fiber)); n++) {
      yield* turns(5)
      yield* TestClock.adjust("10 millis")
    }
    return yield* Fiber.join(fiber)
  })

/** Lets so many turns of the event loop pass: whatever is on its way over the loopback has arrived. */
export const turns = (count: number): Effect.Effect<void> => {
  let left = count
  return until(() => left-- <= 0)
}

/** The transport's error that a request, or reading its response, fails with. */
export const failure = <A, E>(fiber: Fiber.Fiber<A, E>): Effect.Effect<TransportError.TransportError> =>
  Effect.flatMap(
    Effect.orDie(Effect.flip(Fiber.join(fiber))),
    (error) =>
      Option.match(TransportError.fromHttpClientError(error), {
        onNone: () => Effect.die(error),
        onSome: (transport) => Effect.succeed(transport)
      })
  )
