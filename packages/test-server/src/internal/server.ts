import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { ListenOptions } from "node:net"
import type { Breaking } from "../Reply.js"
import type { Http2Controls, Options, TestServer } from "../TestServer.js"
import type { ListenError } from "./acceptor.js"
import { Http2Connection } from "./http2/connection.js"
import type { Protocols } from "./listener.js"
import { Listener } from "./listener.js"
import type { SocksProxy } from "./proxy/socksConnection.js"
import { toBytes } from "./reply.js"
import type { Managed } from "./surroundings.js"
import { terminator } from "./tls.js"

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

export const layer = (tag: Context.Tag<TestServer, TestServer>) => (options?: Options): Layer.Layer<TestServer> =>
  Layer.scoped(tag, make(options))
