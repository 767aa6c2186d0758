import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import type { Endpoints, Job, Measurement } from "./Suite.js"

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** Nothing that we start runs for longer than this, in milliseconds. */
const longest = 120_000

/** A process that ends with the Scope, whatever ends that. */
const start = (
  args: ReadonlyArray<string>,
  env: NodeJS.ProcessEnv = {}
): Effect.Effect<ChildProcess, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] })
    ),
    (child) =>
      Effect.async<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.stdin?.end()
        const timer = setTimeout(() => child.kill("SIGKILL"), 3000)
        child.once("exit", () => clearTimeout(timer))
        // The servers clean up when their input ends; whoever measures has nothing to clean up.
        if (child.spawnargs.some((arg) => arg.endsWith("child.js"))) child.kill("SIGKILL")
      })
  )

/** What a process prints until it ends; its last complaint, if it fails. */
const output = (child: ChildProcess): Effect.Effect<string, string> =>
  Effect.async((resume) => {
    let printed = ""
    let complaint = ""
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      printed += text
    })
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      complaint += text
    })
    child.on("error", (error) => resume(Effect.fail(error.message)))
    child.on("close", (code, signal) => {
      if (code === 0) return resume(Effect.succeed(printed))
      resume(Effect.fail(complaint.trim().slice(0, 500) || `it ended with ${signal ?? code}`))
    })
  })

/** The servers, and where they listen. */
export const servers: Effect.Effect<Endpoints, string, Scope.Scope> = Effect.gen(function*() {
  const child = yield* start([fileOf("./server.js")])
  return yield* Effect.async<Endpoints, string>((resume) => {
    let printed = ""
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      printed += text
      if (printed.includes("\n")) resume(Effect.succeed(JSON.parse(printed) as Endpoints))
    })
    child.stderr?.pipe(process.stderr)
    child.on("exit", (code) => resume(Effect.fail(`the servers ended with ${code}`)))
  }).pipe(Effect.timeoutFail({ duration: 10_000, onTimeout: () => "the servers do not start" }))
})

/** Runs a job in a fresh process, of this checkout or of another one that has been built. */
export const measure = (job: Job, endpoints: Endpoints, checkout?: string): Effect.Effect<Measurement, string> =>
  Effect.gen(function*() {
    const flags = job.task === "memory" || job.task === "pool" ? ["--expose-gc"] : []
    // Node's own way to trust an authority: the same for every contender.
    const env = endpoints.authority === undefined ? {} : { NODE_EXTRA_CA_CERTS: endpoints.authority }
    const program = checkout === undefined ? fileOf("./child.js") : path.resolve(checkout, "bench/dist/child.js")
    const child = yield* start([...flags, program, JSON.stringify(job)], env)
    const printed = yield* output(child)
    return JSON.parse(printed.trim().split("\n").at(-1) as string) as Measurement
  }).pipe(
    Effect.scoped,
    Effect.timeoutFail({ duration: longest, onTimeout: () => `it took more than ${longest / 1000} seconds` })
  )

/** Runs a program that measures and prints by itself. */
export const runProgram = (name: string, args: ReadonlyArray<string>): Effect.Effect<string, string> =>
  Effect.flatMap(start([fileOf(name), ...args]), output).pipe(
    Effect.scoped,
    Effect.timeoutFail({ duration: longest, onTimeout: () => `it took more than ${longest / 1000} seconds` })
  )
