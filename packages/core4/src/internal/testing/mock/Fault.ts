import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { ConnectError, type TransportError } from "../../../TransportError.js"
import type * as MemoryNetwork from "../memoryModels.js"
import { contentOf } from "./content.js"
import type * as MockHttp from "./models.js"

/** See `MockHttp.Failing`. */
export class Fault implements MockHttp.Failing {
  readonly _tag = "Failing"
  constructor(readonly how: MockHttp.Failing["how"]) {}
}

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

export const truncatedReply = (reply: MockHttp.Reply, bytes?: number): MockHttp.Reply => {
  const { body = new Uint8Array() } = contentOf(reply)
  if (!(body instanceof Uint8Array)) {
    throw new TypeError("MockHttp.truncated: a stream has no middle; end it with an error instead of this")
  }
  return { ...reply, cutAfter: bytes ?? Math.floor(body.length / 2) }
}
