import * as Effect from "effect/Effect"
import * as net from "node:net"
import { Worker } from "node:worker_threads"

/** Listens, says that it does, and never turns its event loop again: nobody accepts what connects. */
const silent = `
  const { parentPort, workerData } = require("node:worker_threads")
  const net = require("node:net")
  let left = workerData.hosts.length
  for (const host of workerData.hosts) {
    net.createServer().listen(workerData.port, host, 1, () => {
      if (--left > 0) return
      parentPort.postMessage("listens")
      Atomics.wait(new Int32Array(workerData.gate), 0, 0)
      process.exit(0)
    })
  }`

/**
 * Addresses of the loopback where connections to this port are neither accepted nor refused, as behind a firewall that
 * drops packets: their queues are full.
 */
export const blackHoles = (port: number, hosts: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const gate = new SharedArrayBuffer(4)
    const fillers: Array<net.Socket> = []
    yield* Effect.acquireRelease(
      Effect.async<Worker>((resume) => {
        const worker = new Worker(silent, { eval: true, workerData: { port, hosts, gate } })
        worker.once("message", () => resume(Effect.succeed(worker)))
        worker.once("error", (cause) => resume(Effect.die(cause)))
      }),
      (worker) =>
        Effect.promise(async () => {
          for (const socket of fillers) socket.destroy()
          Atomics.store(new Int32Array(gate), 0, 1)
          Atomics.notify(new Int32Array(gate), 0)
          await worker.terminate()
        })
    )
    const fill = (host: string) =>
      Effect.async<void>((resume) => {
        const socket = net.connect(port, host, () => resume(Effect.void))
        socket.on("error", () => {})
        fillers.push(socket)
      })
    // As many as the system lets in with a backlog of one.
    yield* Effect.forEach(hosts, (host) => Effect.zipRight(fill(host), fill(host)), { discard: true })
  })

/** A look-up that knows these addresses for every name. */
export const lookupOf = (addresses: ReadonlyArray<string>): net.LookupFunction => (_host, _options, callback) =>
  callback(null, addresses.map((address) => ({ address, family: net.isIP(address) })))
