import { definitions } from "@sluice/engine/metrics"
import * as Effect from "effect/Effect"
import { registryOf } from "./registry.js"

// What goes around a client knows of no pool: these are of the whole registry.

/** A request is sent again because of its status or error, or is not because the budget for it is used up. */
export const countRetry = (outcome: "sent" | "no_budget", reason: number | string): Effect.Effect<void> =>
  Effect.contextWith((context) =>
    Effect.sync(() => {
      const attributes = { "sluice.retry.outcome": outcome, "error.type": String(reason) }
      registryOf(context).metric(definitions.callRetries, attributes).update(1)
    })
  )

export const countRedirect: Effect.Effect<void> = Effect.contextWith((context) =>
  Effect.sync(() => registryOf(context).metric(definitions.redirects, {}).update(1))
)
