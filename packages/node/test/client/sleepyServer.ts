import { TestAuthority } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import type { LookupFunction } from "node:net"
import { Worker } from "node:worker_threads"

/**
 * Runs in a thread of its own, and stands still from the moment that it is asked to until it is woken: as far as a
 * client can know, a server that takes that long. What it does when it is woken, it does while the client's thread is
 * blocked.
 */
const source = `
const { parentPort, workerData } = require("node:worker_threads")
const net = require("node:net")
const tls = require("node:tls")
const http2 = require("node:http2")
const { identity, shared } = workerData
// 0 it runs, 1 it is to stand still, 2 it does, 3 it is woken, 4 it has done what it had to.
const state = new Int32Array(shared)
const to = (value) => {
  Atomics.store(state, 0, value)
  Atomics.notify(state, 0)
}
const waiting = []
let isWoken = false
const whenWoken = (act) => isWoken ? act() : waiting.push(act)
setInterval(() => {
  if (Atomics.load(state, 0) !== 1) return
  to(2)
  Atomics.wait(state, 0, 2)
  isWoken = true
  for (const act of waiting.splice(0)) act()
  // By then the system has sent it: the handshakes that it finds when it is woken too.
  setTimeout(() => to(4), 200)
}, 5)
const head = "HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n"
const plain = (socket) => {
  socket.on("error", () => {})
  socket.once("data", (bytes) => {
    const path = bytes.toString("latin1").split(" ")[1]
    const respond = () => socket.write(head + "ok")
    if (path === "/at-once") respond()
    else if (path === "/body") {
      socket.write(head + "o")
      whenWoken(() => socket.write("k"))
    } else if (path === "/upload") {
      let left = Number(/content-length: (\\d+)/i.exec(bytes.toString("latin1"))[1])
      left -= bytes.length - bytes.indexOf("\\r\\n\\r\\n") - 4
      socket.on("data", (more) => {
        left -= more.length
        if (left <= 0) respond()
      })
      socket.pause()
      whenWoken(() => socket.resume())
    } else {
      whenWoken(respond)
      socket.on("data", () => respond())
    }
  })
}
const h2 = http2.createServer()
h2.on("stream", (stream, headers) => {
  const respond = () => {
    stream.respond({ ":status": 200 })
    stream.end("ok")
  }
  stream.on("error", () => {})
  if (headers[":path"] === "/at-once") respond()
  else whenWoken(respond)
})
const secure = tls.createServer({ cert: identity.certificate, key: identity.key }, plain)
const servers = [net.createServer(plain), secure, h2]
parentPort.on("message", () => parentPort.postMessage("127.0.0.1"))
let listening = 0
for (const server of servers) {
  server.listen(0, "127.0.0.1", () => {
    if (++listening === servers.length) parentPort.postMessage(servers.map((each) => each.address().port))
  })
}
`

/** A server in another thread, for as long as the test's Scope lasts: `http:`, `https:` and HTTP/2 without TLS. */
export const sleepyServer = Effect.gen(function*() {
  const authority = yield* TestAuthority.make()
  const identity = yield* authority.issue()
  const shared = new SharedArrayBuffer(4)
  const state = new Int32Array(shared)
  const worker = yield* Effect.acquireRelease(
    Effect.sync(() => new Worker(source, { eval: true, workerData: { identity, shared } })),
    (worker) => Effect.promise(() => worker.terminate())
  )
  const [plain, secure, h2] = yield* Effect.async<ReadonlyArray<number>>((resume) => {
    worker.once("message", (ports: ReadonlyArray<number>) => resume(Effect.succeed(ports)))
  })
  const lookup: LookupFunction = (host, _options, callback) => {
    worker.once("message", (address: string) => callback(null, [{ address, family: 4 }]))
    worker.postMessage(host)
  }
  return {
    /** Asks the thread. */
    lookup,
    plain: `http://127.0.0.1:${plain}`,
    secure: `https://127.0.0.1:${secure}`,
    h2: `http://127.0.0.1:${h2}`,
    ca: authority.certificate,
    /** Lets it stand still from now on. */
    sleep: () => {
      Atomics.store(state, 0, 1)
      Atomics.wait(state, 0, 1)
    },
    /** Blocks this thread, meanwhile wakes the server and lets it do what it has to, and goes on so many milliseconds later. */
    block: (millis: number) => {
      const until = performance.now() + millis
      Atomics.store(state, 0, 3)
      Atomics.notify(state, 0)
      Atomics.wait(state, 0, 3)
      while (performance.now() < until) Atomics.wait(state, 0, 4, until - performance.now())
    }
  }
})
