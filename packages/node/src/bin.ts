#!/usr/bin/env node
/**
 * The command: `sluice-doctor --help`.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClientLayer from "./HttpClientLayer.js"
import { main } from "./internal/doctor/main.js"

const to = (stream: NodeJS.WriteStream) => (text: string) => Effect.sync(() => void stream.write(`${text}\n`))

const output = { line: to(process.stdout), error: to(process.stderr) }

const fiber = Effect.runFork(
  main(process.argv.slice(2), output, HttpClientLayer.layerConfig(HttpClientLayer.config()))
)

fiber.addObserver((exit) => {
  if (exit._tag === "Failure") process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
  // Nothing is left that would keep the process: it ends by itself.
  process.exitCode = exit._tag === "Success" && exit.value ? 0 : 1
})

process.once("SIGINT", () => void Effect.runFork(Fiber.interrupt(fiber)))
// Whoever reads our output may leave before its end (`| head`).
process.stdout.once("error", () => process.exit(0))
