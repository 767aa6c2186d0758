// Requests in a process whose timers were faked before anything of the client was loaded: see fakedGlobals.test.ts. It runs
// what has been compiled.
import { once } from "node:events"
import * as net from "node:net"
import process from "node:process"
import { mock } from "node:test"

const [, , how] = process.argv
const { setTimeout: realSetTimeout } = globalThis

const server = net.createServer((socket) => {
  socket.on("error", () => {}).on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
}).listen(0, "127.0.0.1")
await once(server, "listening")

const names = ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate", "clearImmediate"]
const real = Object.fromEntries(names.map((name) => [name, globalThis[name]]))
if (how === "node:test") mock.timers.enable()
else Object.assign(globalThis, Object.fromEntries(names.map((name) => [name, () => 0])))

const { HttpClientLayer } = await import("@sluice/node")
const HttpClient = await import("@effect/platform/HttpClient")
const Effect = await import("effect/Effect")
const Layer = await import("effect/Layer")
const ManagedRuntime = await import("effect/ManagedRuntime")

const runtime = ManagedRuntime.make(Layer.orDie(HttpClientLayer.layer({})))
const get = HttpClient.get(`http://127.0.0.1:${server.address().port}/`).pipe(Effect.flatMap((_) => _.text))

/** What of several requests in a row has come, after so long. */
const some = async () => {
  const fiber = runtime.runFork(Effect.replicateEffect(get, 3))
  const ended = new Promise((resolve) => fiber.addObserver((exit) => resolve(exit._tag)))
  return Promise.race([ended, new Promise((resolve) => realSetTimeout(resolve, 1200, "waits"))])
}

const faked = await some()
if (how === "node:test") mock.timers.reset()
else Object.assign(globalThis, real)
const after = await some()
console.log(JSON.stringify({ faked, after }))
process.exit(0)
