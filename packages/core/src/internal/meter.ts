import type { Meter } from "@sluice/engine"
import * as metrics from "./metrics.js"

const noTags: [] = []

/** What the engine counts, in Effect's metrics: one set for all pools. */
export const meter: Meter = {
  activeConnections: (change) => metrics.activeConnections.unsafeUpdate(change, noTags),
  idleConnections: (change) => metrics.idleConnections.unsafeUpdate(change, noTags),
  activeRequests: (change) => metrics.activeRequests.unsafeUpdate(change, noTags),
  pendingRequests: (change) => metrics.pendingRequests.unsafeUpdate(change, noTags),
  waited: (millis) => metrics.waitTime.unsafeUpdate(millis / 1000, noTags),
  refused: (reason) => metrics.refusedRequests(reason).unsafeUpdate(1, noTags),
  closed: (millis) => metrics.connectionDuration.unsafeUpdate(millis / 1000, noTags),
  retried: () => metrics.retriedRequests.unsafeUpdate(1, noTags)
}
