import type { Files } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { bar } from "./bar.js"

/** Draws the progress of a transfer on one line of a terminal, and gives what it ended with. */
export const show = <E, R>(
  label: string,
  events: Stream.Stream<Files.Event, E, R>,
  terminal: Pick<NodeJS.WriteStream, "isTTY" | "write"> = process.stdout
): Effect.Effect<Option.Option<Files.Event>, E, R> =>
  events.pipe(
    Stream.tap((event) =>
      Effect.sync(() => {
        const isLast = event._tag === "Done"
        const line = `${label} ${bar(isLast ? { bytes: event.bytes, total: Option.some(event.bytes) } : event)}`
        // A log has no line to draw anew.
        if (terminal.isTTY) terminal.write(`\r\u001b[K${line}${isLast ? "\n" : ""}`)
        else if (isLast) terminal.write(`${line}\n`)
      })
    ),
    Stream.runLast
  )
