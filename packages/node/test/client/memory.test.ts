import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { makeClient, pattern, settled, turn } from "./support.js"

const MiB = 1 << 20

/** SLUICE_LONG=1 moves a GiB; without it, as much as shows a body that is gathered somewhere. */
const size = process.env.SLUICE_LONG === undefined ? 64 * MiB : 1024 * MiB

/** Many times what is under way at once, and a fraction of what moves. */
const allowed = 8 * MiB

/** In a process of its own, for it is this one's memory that counts. It reads for a millisecond, then rests for one. */
const program = `
  const part = Buffer.alloc(65536)
  require("node:http").createServer((request, response) => {
    if (request.method === "GET") {
      let rest = Number(request.url.slice(1))
      response.setHeader("content-length", rest)
      const go = () => {
        while (rest > 0) {
          const some = part.subarray(0, Math.min(part.length, rest))
          rest -= some.length
          if (!response.write(some)) return response.once("drain", go)
        }
        response.end()
      }
      return go()
    }
    let received = 0
    request.on("data", (bytes) => {
      received += bytes.length
      if (received % 16 === 0) {
        request.pause()
        setTimeout(() => request.resume(), 1)
      }
    })
    request.on("end", () => response.end(String(received)))
  }).listen(0, "127.0.0.1", function() { console.log(this.address().port) })
`

const otherProcess = Effect.gen(function*() {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] })),
    (child) =>
      Effect.async<void>((resume) => {
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )
  const port = yield* Effect.async<number>((resume) => {
    child.stdout.once("data", (text) => resume(Effect.succeed(Number(text))))
  })
  return `http://127.0.0.1:${port}`
})

const collectGarbage = (() => {
  setFlagsFromString("--expose-gc")
  return runInNewContext("gc") as () => void
})()

/** What something still holds, inside of the heap and outside of it. Garbage is no matter of ours, and comes and goes. */
const held = () => {
  // What is outside of the heap is freed by a thread of its own, which the next collection waits for.
  collectGarbage()
  collectGarbage()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/**
 * The most memory that was held while the effect ran, above what was held before it. It runs once before in small, so that
 * code and buffers that stay are there.
 */
const growth = <E, R>(run: (size: number, look: () => void) => Effect.Effect<void, E, R>) =>
  Effect.gen(function*() {
    yield* run(16 * MiB, () => {})
    const before = held()
    let most = before
    yield* run(size, () => most = Math.max(most, held()))
    return most - before
  })

describe("memory (a longer test)", () => {
  it.scoped(
    "a download as a stream into a slow consumer holds no more than what is under way",
    () =>
      Effect.gen(function*() {
        const url = yield* otherProcess
        const { client, pool } = yield* makeClient()
        const grown = yield* growth((size, look) =>
          Effect.gen(function*() {
            const response = yield* client.get(`${url}/${size}`)
            let received = 0
            let parts = 0
            yield* Stream.runForEach(response.stream, (part) => {
              received += part.length
              if (parts++ % 256 === 0) look()
              return parts % 4 === 0 ? turn : Effect.void
            })
            assert.strictEqual(received, size)
          })
        )
        assert.isBelow(grown, allowed)
        yield* settled(pool)
      }),
    120_000
  )

  it.scoped(
    "an upload of a stream to a slow server holds no more than what is under way",
    () =>
      Effect.gen(function*() {
        const url = yield* otherProcess
        const { client, pool } = yield* makeClient({ timeouts: { write: "Infinity" } })
        const chunk = pattern(64 * 1024)
        const grown = yield* growth((size, look) =>
          Effect.gen(function*() {
            // Each part is a new one, as a file would give them.
            const parts = Stream.map(Stream.range(1, size / chunk.length, 1), (part) => {
              if (part % 256 === 0) look()
              return chunk.slice()
            })
            const request = HttpClientRequest.post(url).pipe(HttpClientRequest.bodyStream(parts))
            const response = yield* client.execute(request)
            assert.strictEqual(yield* response.text, String(size))
          })
        )
        assert.isBelow(grown, allowed)
        yield* settled(pool)
      }),
    120_000
  )
})
