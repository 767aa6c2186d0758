import type * as Effect from "effect/Effect"
import { abandonedWaits } from "./abandonedWaits.js"
import type { Outcome } from "./Outcome.js"
import { recreatedClients } from "./recreatedClients.js"
import { redirectAtLimitOne } from "./redirectAtLimitOne.js"
import { sharedClient } from "./sharedClient.js"
import { visibleLimits } from "./visibleLimits.js"

export interface Incident {
  readonly name: string
  readonly title: string
  readonly run: Effect.Effect<Outcome, unknown>
}

/** What the demo replays, in this order. A new one is a file beside this one and a line here. */
export const incidents: ReadonlyArray<Incident> = [
  { name: "httpx #720", title: "the client is closed and made again", run: recreatedClients() },
  { name: "httpx #1171", title: "more tasks than connections, a slow server", run: abandonedWaits() },
  { name: "httpx #289", title: "HTTP/2, one connection allowed, a redirect", run: redirectAtLimitOne() },
  { name: "exhaustion", title: "one client in a service, bodies that nobody reads", run: sharedClient() },
  { name: "httpx #787", title: "limits that can be found", run: visibleLimits }
]
