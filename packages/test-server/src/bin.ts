#!/usr/bin/env node
/**
 * The command: `sluice-test-server --help`.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { CommandError, main } from "./internal/command/main.js"

const fiber = Effect.runFork(main(process.argv.slice(2), (line) => process.stdout.write(`${line}\n`)))

fiber.addObserver((exit) => {
  if (exit._tag === "Success" || Cause.isInterruptedOnly(exit.cause)) return
  const error = Cause.squash(exit.cause)
  process.stderr.write(`sluice-test-server: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = error instanceof CommandError ? error.exitCode : 1
})

const stop = () => {
  Effect.runFork(Fiber.interrupt(fiber))
}

// Once: a second signal ends the process at once, as it would without a listener.
process.once("SIGINT", stop)
process.once("SIGTERM", stop)
// Whoever reads the log has left.
process.stdout.once("error", stop)
