import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ListenOptions } from "node:net"
import type { ConnectionInfo } from "../ConnectionInfo.js"
import type { ReceivedRequest } from "../ReceivedRequest.js"
import type { Breaking } from "../Reply.js"
import type { Replies, RouteOptions } from "../Script.js"
import type { ServerStats } from "../ServerStats.js"
import type { ListenError } from "./acceptor.js"
import { Http2Connection } from "./http2/connection.js"
import type { Http2Controls } from "./http2/options.js"
import { Listener, type Options, type Protocols } from "./listener.js"
import type { SocksProxy } from "./proxy/socksConnection.js"
import { toBytes } from "./reply.js"
import type { Managed } from "./surroundings.js"
import { terminator } from "./tls.js"

/**
 * A running server.
 *
 * Nothing in it uses the Clock of the program under test: delays are real time, and what waits (`awaitStats`, gates)
 * waits for events. So it works the same under TestClock.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestServer {
  /** Scheme, host and port without a slash at the end: `${server.url}/path` is a URL of this server. */
  readonly url: string

  /** The same as a URL's `origin` has it, without the scheme's default port. */
  readonly origin: string

  readonly host: string

  readonly port: number

  /** The certificate of the authority, as PEM, that signed the server's own: `ca` for a client. Only with TLS. */
  readonly ca: string | undefined

  /**
   * Scripts a route, instead of what it had before.
   *
   * The route is a path, `"/users"`; a path with its query, `"/users?page=2"`; a beginning, `"/users/*"`; everything,
   * `"*"`; each with a method before it or without, `"POST /users"`. The most exact one responds; a request that has
   * none gets a 404 that lists what is scripted.
   */
  readonly reply: (route: string, replies: Replies, options?: RouteOptions) => Effect.Effect<void>

  /**
   * The server's counts, after four turns of its event loop, so that whatever has reached its sockets is counted.
   */
  readonly stats: Effect.Effect<ServerStats>

  /** The counts as they are in this instant. */
  readonly unsafeStats: () => ServerStats

  /** Waits until the counts are as wanted, by event. */
  readonly awaitStats: (predicate: (stats: ServerStats) => boolean) => Effect.Effect<ServerStats>

  /** All requests so far, in the order in which their heads came. */
  readonly requests: Effect.Effect<ReadonlyArray<ReceivedRequest>>

  /** Waits for the first request that is as wanted, among those that have come and those to come. */
  readonly awaitRequest: (predicate: (request: ReceivedRequest) => boolean) => Effect.Effect<ReceivedRequest>

  /** All connections so far, open or not, as they are now. */
  readonly connections: Effect.Effect<ReadonlyArray<ConnectionInfo>>

  /** Ends all idle connections in order (FIN; on HTTP/2 GOAWAY first). Returns how many. */
  readonly closeIdleConnections: Effect.Effect<number>

  /** Breaks all connections off, in the middle of whatever they do. Default `"end"`. Returns how many. */
  readonly destroyConnections: (how?: Breaking) => Effect.Effect<number>

  /** Breaks all idle connections off by a reset (RST). Returns how many. */
  readonly resetIdleConnections: Effect.Effect<number>

  /**
   * Writes bytes that nobody asked for to all idle connections, and breaks them off behind these bytes if `close` says
   * so. Returns how many. For the same at a chosen time after a response there is `Reply.Late`.
   */
  readonly writeUnasked: (
    bytes: string | Uint8Array,
    options?: { readonly close?: Breaking | undefined }
  ) => Effect.Effect<number>

  /** Refuses new connections; those that are open stay. */
  readonly stopAccepting: Effect.Effect<void>

  /** Listens again, on the same port. */
  readonly resumeAccepting: Effect.Effect<void>

  /**
   * Reads nothing more from any connection, old or new, so that uploads (and TLS handshakes) stall. The end of a
   * connection is not noticed meanwhile either. On an open HTTP/2 connection request bodies are not read, so that their
   * windows fill; other frames are.
   */
  readonly pauseReading: Effect.Effect<void>

  readonly resumeReading: Effect.Effect<void>

  /**
   * From now on takes at most so many bytes a second from each connection, as {@link Options.readBytesPerSecond} has it.
   * `Infinity` lifts the limit.
   */
  readonly limitReading: (bytesPerSecond: number) => Effect.Effect<void>

  /** For HTTP/2 connections. */
  readonly http2: Http2Controls
}

/** Fails where `make` dies. */
export const start = (options: Options = {}, socks?: SocksProxy): Effect.Effect<TestServer, ListenError, Scope.Scope> =>
  Effect.gen(function*() {
    const protocols: Protocols = {
      http1: options.http1 ?? true,
      http2: options.http2 !== undefined && options.http2 !== false
    }
    const tls = options.tls === undefined || options.tls === false
      ? undefined
      : yield* terminator(options.tls === true ? {} : options.tls, alpnOf(protocols))
    const listener = yield* Effect.acquireRelease(
      Effect.sync(() => new Listener(options, protocols, tls, socks)),
      (listener) => listener.acceptor.closeAll
    )
    const host = options.host ?? "127.0.0.1"
    const { unixPath } = options
    const at = (port: number): ListenOptions => unixPath === undefined ? { host, port } : { path: unixPath }
    const address = yield* listener.acceptor.listen(at(options.port ?? 0))
    const port = typeof address === "string" ? 0 : address.port
    const scheme = tls === undefined ? "http" : "https"
    const url = unixPath === undefined
      ? `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`
      : `${scheme}://localhost`
    const { ledger } = listener
    const server: TestServer = {
      url,
      origin: new URL(url).origin,
      host,
      port,
      ca: tls?.ca,
      reply: (route, replies, options) => Effect.sync(() => listener.script.set(route, replies, options)),
      stats: ledger.settled,
      unsafeStats: () => ledger.snapshot(),
      awaitStats: (predicate) => ledger.awaitStats(predicate),
      requests: Effect.sync(() => [...ledger.received]),
      awaitRequest: (predicate) => ledger.awaitRequest(predicate),
      connections: Effect.sync(() => ledger.connections()),
      closeIdleConnections: each(listener, (one) => one.isIdle, (one) => one.closeGently()),
      destroyConnections: (how: Breaking = "end") => each(listener, () => true, (one) => one.destroy(how)),
      resetIdleConnections: each(listener, (one) => one.isIdle, (one) => one.destroy("reset")),
      writeUnasked: (bytes, { close } = {}) =>
        each(listener, (one) => one.isIdle, (one) => {
          ledger.unaskedAction()
          one.writeRaw(toBytes(bytes), close)
        }),
      stopAccepting: Effect.sync(() => listener.acceptor.stop()),
      resumeAccepting: Effect.suspend(() =>
        listener.acceptor.isListening ? Effect.void : Effect.asVoid(Effect.orDie(listener.acceptor.listen(at(port))))
      ),
      pauseReading: Effect.sync(() => listener.setReading({ paused: true })),
      resumeReading: Effect.sync(() => listener.setReading({ paused: false })),
      limitReading: (bytesPerSecond) => Effect.sync(() => listener.setReading({ bytesPerSecond })),
      http2: http2Controls(listener)
    }
    return server
  })

const alpnOf = ({ http1, http2 }: Protocols): ReadonlyArray<string> => [
  ...(http2 ? ["h2"] : []),
  ...(http1 ? ["http/1.1"] : [])
]

const each = (
  listener: Listener,
  which: (connection: Managed) => boolean,
  act: (connection: Managed) => void
): Effect.Effect<number> =>
  Effect.sync(() => {
    const chosen = listener.select(which)
    for (const connection of chosen) act(connection)
    return chosen.length
  })

const http2Controls = (listener: Listener): Http2Controls => {
  const connections = () => listener.select(() => true).filter((one) => one instanceof Http2Connection)
  const all = (act: (connection: Http2Connection) => void) =>
    Effect.sync(() => {
      const chosen = connections()
      for (const connection of chosen) act(connection)
      return chosen.length
    })
  return {
    goAway: (options = {}) => all((connection) => connection.goAway(options)),
    resetStreams: (code) => all((connection) => connection.resetStreams(code)),
    settings: (settings) => all((connection) => connection.changeSettings(settings)),
    ping: Effect.async((resume) => {
      const asked = connections()
      let left = asked.length
      if (left === 0) return resume(Effect.succeed(0))
      for (const connection of asked) {
        connection.ping(() => {
          if (--left === 0) resume(Effect.succeed(asked.length))
        })
      }
    })
  }
}

export const make = (options?: Options): Effect.Effect<TestServer, never, Scope.Scope> => Effect.orDie(start(options))
