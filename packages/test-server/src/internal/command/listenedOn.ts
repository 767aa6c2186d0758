import * as Effect from "effect/Effect"
import { CommandError } from "./CommandError.js"

/** In a test a port that is in use is a defect; for whoever runs a command it is a sentence. */
export const listenedOn = <A, R>(make: Effect.Effect<A, never, R>): Effect.Effect<A, CommandError, R> =>
  Effect.catchAllDefect(
    make,
    (defect) => new CommandError(defect instanceof Error ? defect.message : String(defect), 1)
  )
