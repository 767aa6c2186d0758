import { TestAuthority } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import { Worker } from "node:worker_threads"

/** What the server does two milliseconds after it has responded to `/first`. */
export interface Unasked {
  readonly bytes?: string
  readonly close?: "end" | "reset"
}

/**
 * Runs in a thread of its own, so that it acts while the client's thread is busy: then the kernel has what it sent before
 * the client looks.
 */
const source = `
const { parentPort, workerData } = require("node:worker_threads")
const net = require("node:net")
const tls = require("node:tls")
const { act, identity, shared } = workerData
const acted = new Int32Array(shared)
const onConnection = (socket, tcp) => {
  socket.on("error", () => {})
  let text = ""
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1")
    const end = text.indexOf("\\r\\n\\r\\n")
    if (end < 0) return
    if (text.startsWith("GET /first")) {
      text = ""
      socket.write("HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nfirst")
      setTimeout(() => {
        if (act.close === "reset") {
          tcp.resetAndDestroy()
        } else {
          if (act.bytes !== undefined) socket.write(act.bytes)
          if (act.close === "end") socket.end()
        }
        // By then the system has sent it.
        setTimeout(() => {
          Atomics.add(acted, 0, 1)
          Atomics.notify(acted, 0)
        }, 5)
      }, 2)
    } else {
      const head = text.slice(0, end).toLowerCase()
      const length = /content-length: (\\d+)/.exec(head)
      const expects = head.includes("100-continue") && !socket.continued
      if (expects) socket.continued = true, socket.write("HTTP/1.1 100 Continue\\r\\n\\r\\n")
      const isWhole = head.includes("transfer-encoding: chunked")
        ? text.endsWith("0\\r\\n\\r\\n")
        : text.length - end - 4 >= Number(length?.[1] ?? 0)
      if (!isWhole) return
      text = ""
      socket.continued = false
      socket.write("HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nown")
    }
  })
}
const server = net.createServer((tcp) => {
  tcp.setNoDelay(true)
  if (identity === undefined) return onConnection(tcp, tcp)
  tcp.on("error", () => {})
  const socket = new tls.TLSSocket(tcp, { isServer: true, cert: identity.certificate, key: identity.key })
  onConnection(socket, tcp)
})
server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port))
`

/** A server in another thread, for as long as the test's Scope lasts. */
export const workerServer = (secure: boolean, act: Unasked) =>
  Effect.gen(function*() {
    const authority = yield* TestAuthority.make()
    const identity = secure ? yield* authority.issue() : undefined
    const shared = new SharedArrayBuffer(4)
    const acted = new Int32Array(shared)
    const worker = yield* Effect.acquireRelease(
      Effect.sync(() => new Worker(source, { eval: true, workerData: { act, identity, shared } })),
      (worker) => Effect.promise(() => worker.terminate())
    )
    const port = yield* Effect.async<number>((resume) => {
      worker.once("message", (port: number) => resume(Effect.succeed(port)))
    })
    return {
      url: `${secure ? "https" : "http"}://127.0.0.1:${port}`,
      ca: authority.certificate,
      /** Blocks the thread until the server has acted so often. */
      blockUntilActed: (count: number) => {
        for (let seen = 0; seen < count; seen = Atomics.load(acted, 0)) Atomics.wait(acted, 0, seen, 2000)
      }
    }
  })
