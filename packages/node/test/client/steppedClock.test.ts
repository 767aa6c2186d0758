import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { deepStrictEqual, ok } from "node:assert"
import { spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

// Issue 15, section 1, on the system's own clocks: libfaketime sets the wall clock of a process while it waits.

const program = fileURLToPath(new URL("steppedClock.mjs", import.meta.url))
const compiled = fileURLToPath(new URL("../../dist/index.js", import.meta.url))

const library = ["/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
  .map((folder) => join(folder, "faketime/libfaketime.so.1")).find((path) => existsSync(path))

const missing = library === undefined || spawnSync("faketime", ["--version"]).error !== undefined
  ? "libfaketime is not installed"
  : !existsSync(compiled)
  ? "the packages have not been compiled: npm run build"
  : undefined

interface Ended {
  readonly outcome: string
  readonly took: number
}

interface Report {
  /** By how much the wall clock was found to have moved. */
  readonly stepped: number
  readonly results: Record<string, Ended>
}

const run = (step: string) =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-clock-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
    )
    const file = join(folder, "offset")
    writeFileSync(file, "+0")
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [program, file, step], {
          stdio: ["ignore", "pipe", "inherit"],
          env: {
            ...process.env,
            LD_PRELOAD: library,
            FAKETIME_TIMESTAMP_FILE: file,
            FAKETIME_NO_CACHE: "1",
            // The kernel's monotonic clock is not set when the wall clock is.
            FAKETIME_DONT_FAKE_MONOTONIC: "1"
          }
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    return yield* Effect.async<Report>((resume) => {
      let output = ""
      child.stdout.on("data", (text) => output += String(text))
      child.once("close", () => resume(Effect.sync(() => JSON.parse(output))))
    })
  })

describe(`a wall clock that is set${missing === undefined ? "" : ` (skipped: ${missing})`}`, () => {
  for (const [direction, step] of [["back", "-3600"], ["forward", "+3600"]]) {
    it.scopedLive.skipIf(missing !== undefined)(
      `${direction} an hour moves no timeout and no expiry`,
      () =>
        Effect.gen(function*() {
          const { results, stepped } = yield* run(step)
          ok(Math.abs(stepped) > 3_000_000, `the wall clock moved by ${stepped} ms`)
          const outcomes = Object.entries(results).map(([name, { outcome, took }]) => // Never before its time; and it ended, which is all that a busy machine can promise.
          [name, took >= 995 ? outcome : `${outcome} after ${took} ms`])
          deepStrictEqual(Object.fromEntries(outcomes), {
            read: "ReadTimeout",
            headers: "HeadersTimeout",
            total: "TotalTimeout",
            pool: "PoolTimeout",
            expiry: "done"
          })
        }),
      60_000
    )
  }
})
