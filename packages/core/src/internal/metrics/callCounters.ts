import { definitions } from "@sluice/engine/metrics"
import { registry } from "./registry.js"

// What goes around a client knows of no pool: these are of the whole process.

/** A request is sent again because of its status or error, or is not because the budget for it is used up. */
export const countRetry = (outcome: "sent" | "no_budget", reason: number | string): void =>
  registry.metric(definitions.callRetries, { "sluice.retry.outcome": outcome, "error.type": String(reason) }).update(1)

export const countRedirect = (): void => registry.metric(definitions.redirects, {}).update(1)
