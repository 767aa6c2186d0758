import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { ConnectError, type TransportError } from "../../../TransportError.js"
import type * as MemoryNetwork from "../memoryModels.js"
import type * as MockHttp from "./models.js"

/** What the network does instead of a response. */
export const perform = (
  { how }: MockHttp.Failing,
  { connection }: MemoryNetwork.Request
): Effect.Effect<never, TransportError> => {
  switch (how) {
    case "refused":
      return Effect.fail(
        new ConnectError({ origin: connection.origin.href, reason: "Refused", detail: "connection refused" })
      )
    case "reset":
      return Effect.andThen(Effect.sync(() => connection.reset()), Effect.never)
    case "timeout":
      return Effect.never
  }
}

export const slowed = (delay: Duration.Input, reply: MockHttp.Reply = {}): MockHttp.Reply => ({
  ...reply,
  delay
})
