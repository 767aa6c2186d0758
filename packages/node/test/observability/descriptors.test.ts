import { describe, it } from "@effect/vitest"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { deepStrictEqual, match, ok, strictEqual } from "node:assert"
import { spawn, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

// Issue 20, section 1: a process that has used up its descriptors, as `ulimit -n` says, and not a made-up error.

const program = fileURLToPath(new URL("descriptors.mjs", import.meta.url))
const compiled = fileURLToPath(new URL("../../dist/index.js", import.meta.url))

const missing = spawnSync("sh", ["-c", "ulimit -n 256"]).status !== 0
  ? "no shell that knows ulimit"
  : !existsSync(compiled)
  ? "the packages have not been compiled: npm run build"
  : undefined

interface Failed {
  readonly _tag: string
  readonly reason: string
  readonly message: string
  readonly connections: { readonly open: number; readonly maxConnections: number }
}

interface Report {
  readonly succeeded: number
  readonly failed: ReadonlyArray<Failed>
  readonly byName: Failed
  readonly byServer: Failed
  readonly after: string
}

describe(`a process without descriptors${missing === undefined ? "" : ` (skipped: ${missing})`}`, () => {
  it.scopedLive.skipIf(missing !== undefined)(
    "says that it is itself what is at its limit, and goes on",
    () =>
      Effect.gen(function*() {
        const gate = yield* Gate.make
        const server = yield* TestServer.make({
          replies: { "/late": Reply.text("late", { hold: gate }), "/": Reply.text("ok") }
        })
        const named = server.url.replace("127.0.0.1", "localhost")
        const command = ["ulimit -n 256; exec \"$@\"", "sh", process.execPath, program, server.url, named]
        const child = yield* Effect.acquireRelease(
          Effect.sync(() => spawn("sh", ["-c", ...command], { stdio: ["ignore", "pipe", "inherit"] })),
          (child) => Effect.sync(() => child.kill("SIGKILL"))
        )
        const exhausted = yield* Deferred.make<void>()
        const report = yield* Effect.fork(Effect.async<Report>((resume) => {
          let output = ""
          child.stdout.on("data", (text) => {
            output += String(text)
            if (output.includes("\n")) Deferred.unsafeDone(exhausted, Effect.void)
          })
          child.once("close", () => resume(Effect.sync(() => JSON.parse(output.split("\n")[1]))))
        }))
        yield* Effect.raceFirst(Deferred.await(exhausted), report)
        yield* gate.open
        const { after, byName, byServer, failed, succeeded } = yield* report
        deepStrictEqual({ succeeded, failed: failed.length, after }, { succeeded: 24, failed: 56, after: "ok" })
        for (const { _tag, connections, message, reason } of [...failed, byName, byServer]) {
          deepStrictEqual({ _tag, reason }, { _tag: "ConnectError", reason: "ProcessLimit" })
          match(message, /this process has no file descriptor left.*raise `ulimit -n`.*ulimit -n is 256/)
          strictEqual(connections.maxConnections, 100)
          ok(connections.open > 0)
        }
      })
  )
})
