/**
 * What HTTP/2 servers that mean harm cost a client: CPU, memory, and how long it bears them. Each attack runs against Sluice
 * and against bare `node:http2`, a process each; the attacker is in this one.
 *
 *   node bench/dist/micro/hostile.js [--quick]
 *
 * An attack goes on for two seconds, or until the client ends the connection. "taken" is what the client has let through.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { HttpClientLayer } from "@sluice/node"
import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import { fork } from "node:child_process"
import * as http2 from "node:http2"
import * as net from "node:net"
import process from "node:process"
import { fileURLToPath } from "node:url"

const duration = process.argv.includes("--quick") ? 700 : 2000

const frame = (type: number, flags: number, streamId: number, payload: ReadonlyArray<number> | Uint8Array): Buffer => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(streamId, 5)
  return Buffer.concat([head, Uint8Array.from(payload)])
}

const repeated = (bytes: Buffer): Buffer =>
  Buffer.concat(Array.from({ length: Math.ceil(65_536 / bytes.length) }, () => bytes))

const ok = frame(1, 4, 1, [0x88])
/** Puts a field of 4,000 octets into the table. */
const large = [0x40, 1, 0x61, 0x7f, 0xa1, 0x1e, ...Buffer.alloc(4000, "b")]
const thrash = frame(1, 4, 1, [
  0x08,
  3,
  ...Buffer.from("103"),
  ...Array.from({ length: 1000 }, () => [0x40, 1, 0x61, 1, 0x62]).flat()
])

/** What comes first, and what then comes again and again. */
const attacks: ReadonlyArray<readonly [name: string, first: Buffer, then: Buffer]> = [
  ["SETTINGS", ok, frame(4, 0, 0, [])],
  ["SETTINGS with values", ok, frame(4, 0, 0, [0, 4, 0, 0, 255, 255])],
  ["PING", ok, frame(6, 0, 0, Buffer.alloc(8))],
  ["PRIORITY", ok, frame(2, 0, 1, Buffer.alloc(5))],
  ["WINDOW_UPDATE", ok, frame(8, 0, 0, [0, 0, 0, 1])],
  ["GOAWAY", ok, frame(7, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0])],
  ["empty DATA", ok, frame(0, 0, 1, [])],
  ["DATA of one byte, unread", ok, frame(0, 0, 1, [120])],
  ["DATA of padding", ok, frame(0, 8, 1, [255, ...Buffer.alloc(255)])],
  ["unknown frames", ok, frame(99, 0, 0, [])],
  ["RST_STREAM of a stream that is over", Buffer.concat([ok, frame(0, 1, 1, [])]), frame(3, 0, 1, [0, 0, 0, 8])],
  ["interim responses", Buffer.alloc(0), frame(1, 4, 1, [0x08, 3, ...Buffer.from("103")])],
  ["CONTINUATION, empty", frame(1, 0, 1, [0x88]), frame(9, 0, 1, [])],
  ["CONTINUATION, full", frame(1, 0, 1, [0x88]), frame(9, 0, 1, Buffer.alloc(16_384))],
  [
    "HPACK bomb",
    frame(1, 4, 1, [0x08, 3, ...Buffer.from("103"), ...large]),
    frame(1, 4, 1, [0x08, 3, ...Buffer.from("103"), ...Buffer.alloc(16_000, 0xbe)])
  ],
  ["HPACK table thrashing", Buffer.alloc(0), thrash],
  ["a head that drips", frame(1, 0, 1, [0x88]), frame(9, 0, 1, [0x00])]
]

const prefaceLength = 24

/** Whether a request has come, behind the preface and the frames of the connection. */
const hasHeaders = (bytes: Buffer): boolean => {
  for (let at = prefaceLength; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    if (bytes[at + 3] === 1) return true
  }
  return false
}

/** Sends its SETTINGS, waits for a request, and begins. Returns what the client has taken when it is over. */
const attack = async (
  first: Buffer,
  then: Buffer
): Promise<{ readonly port: number; readonly over: Promise<number> }> => {
  const flood = repeated(then)
  const server = net.createServer()
  const over = new Promise<number>((resolve) => {
    server.once("connection", (socket) => {
      let left = true
      const end = () => {
        if (!left) return
        left = false
        resolve(socket.bytesWritten - socket.writableLength)
        socket.destroy()
        server.close()
      }
      const send = () => {
        while (left && socket.write(flood));
      }
      let rest = Buffer.alloc(0)
      let isBegun = false
      socket.on("data", (bytes) => {
        if (isBegun) return
        rest = Buffer.concat([rest, bytes])
        if (!hasHeaders(rest)) return
        isBegun = true
        socket.write(first)
        setTimeout(end, duration)
        send()
      })
      socket.on("drain", send).on("error", end).on("close", end)
      socket.write(Buffer.concat([frame(4, 0, 0, []), frame(4, 1, 0, [])]))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return { port: (server.address() as net.AddressInfo).port, over }
}

interface Cost {
  readonly cpu: number
  readonly memory: number
  readonly lasted: number
  readonly outcome: string
}

/** One request, whose response nobody reads until the connection has ended. */
const clients: Readonly<Record<string, (port: number) => Promise<string>>> = {
  "Sluice": (port) =>
    HttpClient.get(`http://127.0.0.1:${port}/`).pipe(
      Effect.tap(Effect.sleep(duration + 100)),
      Effect.flatMap((response) => response.text),
      Effect.as("a response"),
      Effect.catchAll((error) =>
        Effect.succeed(String((error.cause as { readonly _tag?: string })?._tag ?? error._tag))
      ),
      Effect.provide(HttpClientLayer.layer({ http2: "prior-knowledge", timeouts: { connect: "2 seconds" } })),
      Effect.scoped,
      Effect.runPromise
    ),
  "node:http2": (port) =>
    new Promise((resolve) => {
      const session = http2.connect(`http://127.0.0.1:${port}`)
      session.on("error", (error: Error & { readonly code?: string }) => resolve(error.code ?? error.message))
      session.on("close", () => resolve("closed"))
      session.request({ ":path": "/" }).on("error", () => {})
    })
}

const child = async (name: string, port: number): Promise<Cost> => {
  const rss = process.memoryUsage.rss()
  let peak = rss
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, 10)
  const begun = performance.now()
  const before = process.cpuUsage()
  const outcome = await clients[name](port)
  clearInterval(watch)
  const { system, user } = process.cpuUsage(before)
  return { cpu: (system + user) / 1000, memory: (peak - rss) / 2 ** 20, lasted: performance.now() - begun, outcome }
}

const run = async (name: string, first: Buffer, then: Buffer): Promise<Cost & { readonly taken: number }> => {
  const { over, port } = await attack(first, then)
  const process = fork(fileURLToPath(import.meta.url), [name, String(port), ...(duration < 2000 ? ["--quick"] : [])])
  const cost = await new Promise<Cost>((resolve) => {
    process.on("message", (message) => resolve(message as Cost))
    process.on("exit", (code) => resolve({ cpu: NaN, memory: NaN, lasted: NaN, outcome: `ended with ${code}` }))
  })
  process.kill()
  return { ...cost, taken: await over }
}

const [, , name, port] = process.argv
if (process.send !== undefined && name in clients) {
  const cost = await child(name, Number(port))
  process.send(cost, () => process.exit(0))
} else {
  const columns = ["", "", "CPU ms", "memory +MiB", "taken KiB", "lasted ms", "and then"]
  const widths = [36, 11, 8, 12, 11, 10, 0]
  const line = (cells: ReadonlyArray<string>) =>
    console.log(cells.map((cell, n) => n < 2 || n === 6 ? cell.padEnd(widths[n]) : cell.padStart(widths[n])).join("  "))
  line(columns)
  for (const [what, first, then] of attacks) {
    for (const client of Object.keys(clients)) {
      const { cpu, lasted, memory, outcome, taken } = await run(client, first, then)
      const figures = [cpu.toFixed(0), memory.toFixed(1), (taken / 1024).toFixed(0), lasted.toFixed(0)]
      line([client === "Sluice" ? what : "", client, ...figures, outcome])
    }
  }
}
