import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import * as tls from "node:tls"

/** A client that writes bytes and keeps what comes back. */
export interface RawClient {
  readonly socket: net.Socket
  readonly write: (bytes: string | Uint8Array) => void
  readonly received: () => string
  /** Waits until what has come back is as wanted. */
  readonly until: (wanted: string | ((received: string) => boolean)) => Effect.Effect<string>
  /** Waits until the server has ended the connection: "end" by FIN, else the error's code. */
  readonly closed: Effect.Effect<string>
}

export const connect = (options: net.NetConnectOpts): Effect.Effect<RawClient, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<net.Socket>((resume) => {
        const socket = net.connect(options, () => resume(Effect.succeed(socket)))
        socket.once("error", (error) => resume(Effect.die(error)))
      }),
      (socket) => Effect.sync(() => socket.destroy())
    ),
    overSocket
  )

export const overSocket = (socket: net.Socket): RawClient => {
  let received = ""
  let how: string | undefined
  const watchers = new Set<() => void>()
  const changed = () => [...watchers].forEach((watcher) => watcher())
  socket.on("data", (bytes: Buffer) => {
    received += bytes.toString("latin1")
    changed()
  })
  socket.on("error", (error: NodeJS.ErrnoException) => {
    how ??= error.code ?? error.message
  })
  socket.on("end", () => {
    how ??= "end"
  })
  socket.on("close", changed)
  const when = <A>(look: () => A | undefined): Effect.Effect<A> =>
    Effect.async((resume) => {
      const watcher = () => {
        const found = look()
        if (found === undefined) return
        watchers.delete(watcher)
        resume(Effect.succeed(found))
      }
      watchers.add(watcher)
      watcher()
      return Effect.sync(() => watchers.delete(watcher))
    })
  return {
    socket,
    write: (bytes) => socket.write(bytes),
    received: () => received,
    until: (wanted) =>
      when(() => {
        const enough = typeof wanted === "string" ? received.includes(wanted) : wanted(received)
        return enough ? received : undefined
      }),
    closed: when(() => socket.destroyed ? how ?? "closed" : undefined)
  }
}

/** A request without a body. */
export const GET = (path: string, ...fields: ReadonlyArray<string>): string =>
  `GET ${path} HTTP/1.1\r\n${["Host: localhost", ...fields].join("\r\n")}\r\n\r\n`

/** What comes with the next read, whole. It listens at once, not when the effect runs. */
export const nextSegment = (socket: net.Socket): Effect.Effect<string> => {
  const segment = new Promise<string>((resolve) =>
    socket.once("data", (bytes: Buffer) => resolve(bytes.toString("latin1")))
  )
  return Effect.promise(() => segment)
}

export const secureConnect = (
  options: tls.ConnectionOptions
): Effect.Effect<tls.TLSSocket, NodeJS.ErrnoException, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async((resume) => {
      const socket = tls.connect(options, () => resume(Effect.succeed(socket)))
      socket.once("error", (error) => resume(Effect.fail(error)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** A folder that is gone with the test. */
export const temporaryFolder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "test-server-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true }))
)
