import { TestAuthority, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as http from "node:http"
import * as net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A server of somebody else's, with the files of this test: `/` is "hello", `/big` a megabyte. */
export interface RealPeer {
  readonly url: string
  readonly ca: string
  /** Ends it, as an operator would (by its signal for it) or brutally, and starts it again at the same port. */
  readonly restart: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Has it read its files again, with other processes, while those that it had finish what they serve. */
  readonly reload: (signal: NodeJS.Signals) => Effect.Effect<void>
  /**
   * Ends it; how often it was asked for each `/?n=` of its life, restarts included, by its own log, or by what came to the
   * server behind a proxy.
   */
  readonly asked: Effect.Effect<ReadonlyMap<number, number>>
}

export interface At {
  readonly port: number
  readonly dir: string
  /** Where a server of HTTP/1.1 serves the same, for proxies. */
  readonly backend: number
}

type Command = (at: At) => ReadonlyArray<string>

/** Whether the program is there; Debian keeps some outside of the path of users. */
export const isInstalled = (program: string): boolean =>
  spawnSync("sh", ["-c", `command -v ${program}`], { env: environment }).status === 0

const environment = { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin` }

export const start = (command: Command, config: Command): Effect.Effect<RealPeer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const authority = yield* TestAuthority.make()
    const identity = yield* authority.issue()
    const port = yield* TestServer.unusedPort
    const { forwarded, port: backend } = yield* listenBackend
    const dir = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-peer-"))),
      (dir) => Effect.sync(() => rmSync(dir, { recursive: true, force: true }))
    )
    // Started by root, some of them become somebody else.
    chmodSync(dir, 0o755)
    mkdirSync(join(dir, "html"))
    writeFileSync(join(dir, "html/index.html"), "hello")
    writeFileSync(join(dir, "html/big"), Buffer.alloc(1_000_000, "x"))
    writeFileSync(join(dir, "cert.pem"), identity.certificate)
    writeFileSync(join(dir, "both.pem"), `${identity.certificate}\n${identity.key}`)
    writeFileSync(join(dir, "key.pem"), identity.key)
    writeFileSync(join(dir, "config"), config({ port, dir, backend }).join("\n"))
    const log = join(dir, "log")
    writeFileSync(log, "")
    // Those that become somebody else write it too.
    chmodSync(log, 0o666)
    let child = yield* run(command({ port, dir, backend }), port, log)
    yield* Effect.addFinalizer(() => stop(() => child))
    return {
      url: `https://127.0.0.1:${port}`,
      ca: authority.certificate,
      restart: (signal) =>
        Effect.gen(function*() {
          yield* stop(() => child, signal)
          child = yield* run(command({ port, dir, backend }), port, log)
        }),
      reload: (signal) => Effect.sync(() => child.kill(signal)),
      asked: Effect.map(stop(() => child), () => {
        if (forwarded.size > 0) return forwarded
        const counts = new Map<number, number>()
        for (const [, n] of readFileSync(log, "latin1").matchAll(numbered)) increment(counts, Number(n))
        return counts
      })
    }
  })

const run = (
  [program, ...args]: ReadonlyArray<string>,
  port: number,
  log: string
): Effect.Effect<ChildProcess> =>
  Effect.gen(function*() {
    const output = openSync(log, "a")
    const child = spawn(program, args, { stdio: ["ignore", output, "ignore"], env: environment })
    closeSync(output)
    child.on("error", () => {})
    for (let n = 0; n < 600; n++) {
      if (yield* responds(port)) return child
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 25)))
    }
    child.kill("SIGKILL")
    return yield* Effect.dieMessage(`${program} did not start`)
  })

const stop = (child: () => ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Effect.Effect<void> =>
  Effect.async((resume) => {
    const process = child()
    if (process.exitCode !== null || process.signalCode !== null) return resume(Effect.void)
    process.once("exit", () => resume(Effect.void))
    process.kill(signal)
    setTimeout(() => process.kill("SIGKILL"), 2000).unref()
  })

const numbered = /\/\?n=(\d+)/g

const increment = (counts: Map<number, number>, n: number): void => {
  counts.set(n, (counts.get(n) ?? 0) + 1)
}

interface Backend {
  readonly port: number
  readonly forwarded: Map<number, number>
}

const listenBackend: Effect.Effect<Backend, never, Scope.Scope> = Effect.suspend(() => {
  const forwarded = new Map<number, number>()
  const listening = Effect.acquireRelease(
    Effect.async<http.Server>((resume) => {
      const server = http.createServer((request, response) => {
        for (const [, n] of (request.url ?? "").matchAll(numbered)) increment(forwarded, Number(n))
        request.resume()
        response.end(request.url === "/big" ? Buffer.alloc(1_000_000, "x") : "hello")
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )
  return Effect.map(listening, (server) => ({ port: (server.address() as net.AddressInfo).port, forwarded }))
})

const responds = (port: number): Effect.Effect<boolean> =>
  Effect.async((resume) => {
    const socket = net.connect(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.succeed(true))
    })
    socket.once("error", () => resume(Effect.succeed(false)))
  })
