import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { AddressInfo, ListenOptions, Socket } from "node:net"
import * as net from "node:net"
import type { Breaking } from "../Reply.js"
import type { Options, TestServer } from "../TestServer.js"
import { Http1Connection } from "./http1/connection.js"
import { Ledger } from "./ledger.js"
import { toBytes } from "./reply.js"
import { Script } from "./script.js"
import type { Managed, Surroundings } from "./surroundings.js"

export class ListenError extends Data.TaggedError("ListenError")<{
  readonly address: string
  readonly code: string
  readonly cause: unknown
}> {
  override get message(): string {
    switch (this.code) {
      case "EADDRINUSE":
        return `${this.address} is in use by another program`
      case "EACCES":
        return `${this.address} may not be listened on without more rights`
      case "EADDRNOTAVAIL":
        return `${this.address} is no address of this machine`
      default:
        return `${this.address} can't be listened on (${this.code})`
    }
  }
}

/** The listening socket and the connections it has accepted. */
class Listener implements Surroundings {
  readonly ledger: Ledger
  readonly script = new Script()
  readonly options: Surroundings["options"]
  readingPaused = false
  private readonly server: net.Server
  private readonly sockets = new Set<Socket>()
  private readonly connections = new Set<Managed>()
  private closing = false

  constructor(options: Options) {
    this.ledger = new Ledger(options.maxRecordedRequests ?? 10_000, options.maxRecordedBody ?? 65_536)
    this.options = {
      maxRequestsPerConnection: options.maxRequestsPerConnection ?? Infinity,
      keepAliveTimeout: Duration.toMillis(options.keepAliveTimeout ?? Duration.infinity),
      halfOpen: options.halfOpen ?? false
    }
    for (const [route, answering] of Object.entries(options.replies ?? {})) this.script.set(route, answering)
    this.server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.accept(socket))
  }

  listen(where: ListenOptions): Effect.Effect<AddressInfo | string, ListenError> {
    return Effect.async((resume) => {
      const failed = (error: NodeJS.ErrnoException) => {
        const address = where.path ?? `${where.host}:${where.port}`
        resume(Effect.fail(new ListenError({ address, code: error.code ?? "unknown", cause: error })))
      }
      this.server.once("error", failed)
      this.server.listen(where, () => {
        this.server.off("error", failed)
        resume(Effect.succeed(this.server.address()!))
      })
    })
  }

  /** Stops listening. Does not wait for connections. */
  stop(): void {
    this.server.close()
  }

  closeAll(): Effect.Effect<void> {
    return Effect.async((resume) => {
      this.closing = true
      this.stop()
      const left = this.sockets.size
      if (left === 0) return resume(Effect.void)
      let closed = 0
      for (const socket of [...this.sockets]) {
        socket.once("close", () => {
          if (++closed === left) resume(Effect.void)
        })
        socket.destroy()
      }
    })
  }

  each(which: (connection: Managed) => boolean, act: (connection: Managed) => void): Effect.Effect<number> {
    return Effect.sync(() => {
      const chosen = [...this.connections].filter((one) => one.account.open && which(one))
      for (const connection of chosen) act(connection)
      return chosen.length
    })
  }

  pauseReading(paused: boolean): Effect.Effect<void> {
    return Effect.sync(() => {
      this.readingPaused = paused
      for (const connection of this.connections) connection.pauseReading(paused)
    })
  }

  private accept(socket: Socket): void {
    if (this.closing) return void socket.destroy()
    this.sockets.add(socket)
    const account = this.ledger.connectionOpened()
    socket.on("error", () => {})
    const connection = new Http1Connection(socket, socket, account, this)
    this.connections.add(connection)
    socket.on("close", () => {
      this.sockets.delete(socket)
      this.connections.delete(connection)
    })
  }
}

/** Fails where `make` dies. */
export const start = (options: Options = {}): Effect.Effect<TestServer, ListenError, Scope.Scope> =>
  Effect.gen(function*() {
    const host = options.host ?? "127.0.0.1"
    const listener = yield* Effect.acquireRelease(
      Effect.sync(() => new Listener(options)),
      (listener) => listener.closeAll()
    )
    const { unixPath } = options
    const where: ListenOptions = unixPath === undefined ? { host, port: options.port ?? 0 } : { path: unixPath }
    const address = yield* listener.listen(where)
    const port = typeof address === "string" ? 0 : address.port
    const named = host.includes(":") ? `[${host}]` : host
    const url = unixPath === undefined ? `http://${named}:${port}` : "http://localhost"
    const server: TestServer = {
      url,
      origin: new URL(url).origin,
      host,
      port,
      reply: (route, answering, options) => Effect.sync(() => listener.script.set(route, answering, options)),
      stats: listener.ledger.settled,
      unsafeStats: () => listener.ledger.snapshot(),
      awaitStats: (predicate) => listener.ledger.awaitStats(predicate),
      requests: Effect.sync(() => [...listener.ledger.received]),
      awaitRequest: (predicate) => listener.ledger.awaitRequest(predicate),
      closeIdleConnections: listener.each((one) => one.isIdle, (one) => one.closeGently()),
      destroyConnections: (how: Breaking = "end") => listener.each(() => true, (one) => one.destroy(how)),
      writeUnasked: (bytes) => listener.each((one) => one.isIdle, (one) => one.writeRaw(toBytes(bytes))),
      stopAccepting: Effect.sync(() => listener.stop()),
      resumeAccepting: Effect.asVoid(
        Effect.orDie(listener.listen(unixPath === undefined ? { host, port } : { path: unixPath }))
      ),
      pauseReading: listener.pauseReading(true),
      resumeReading: listener.pauseReading(false)
    }
    return server
  })

export const make = (options?: Options): Effect.Effect<TestServer, never, Scope.Scope> => Effect.orDie(start(options))

export const layer = (tag: Context.Tag<TestServer, TestServer>) => (options?: Options): Layer.Layer<TestServer> =>
  Layer.scoped(tag, make(options))
