import { Failure } from "@sluice/engine"
import { type CoreLimits, Deadlines, exclusive, PoolCore, type Slot, Ticket } from "@sluice/engine/pool"

/** Clients of one host, each of which sends its next request as soon as it has a response. */
export interface Host {
  readonly key: string
  readonly clients: number
  /** How long a response takes, in milliseconds. */
  readonly takes: number
  /** Streams that a connection carries; undefined for HTTP/1.1. */
  readonly streams?: number
  /** Its dials fail. */
  readonly dead?: boolean
  /** It ends each connection after one response. */
  readonly closes?: boolean
}

export interface Served {
  readonly responses: number
  /** The longest that a request waited for a connection, in milliseconds. */
  readonly longestWait: number
  readonly dials: number
  /** For how long all its connections together carried its requests, in milliseconds. */
  readonly held: number
}

const refused = Failure.connectError({ origin: "", reason: "Refused", detail: "connection refused" })
const dialing = 1
const closing = 1

/**
 * Runs hosts against each other over one pool for some time, on a clock of its own.
 */
export const traffic = (
  limits: CoreLimits,
  hosts: ReadonlyArray<Host>,
  duration: number
): ReadonlyMap<string, Served> => {
  let now = 0
  const agenda: Array<{ readonly at: number; readonly run: () => void }> = []
  const deadlines = new Deadlines(() => {})
  const core = new PoolCore<string>({
    limits,
    deadlines,
    background: new Deadlines(() => {}),
    wallClock: () => now,
    whenFull: "dial",
    dialPatience: Infinity,
    random: () => 0
  })
  const byKey = new Map(hosts.map((host) => [host.key, { host, responses: 0, longestWait: 0, dials: 0, held: 0 }]))

  const after = (millis: number, run: () => void) => {
    const at = now + millis
    const index = agenda.findLastIndex((_) => _.at <= at)
    agenda.splice(index + 1, 0, { at, run })
  }

  const request = (host: Host) => {
    const sharing = host.streams === undefined ? exclusive : { _tag: "Shared", capacity: host.streams } as const
    const ticket = new Ticket<string>(core.state.origin(host.key, sharing), undefined, Infinity, Infinity)
    core.acquire(ticket, now)
    if (ticket.state === "Granted") granted(ticket)
    perform()
  }

  const granted = (ticket: Ticket<string>) => {
    const served = byKey.get(ticket.origin.key)!
    served.longestWait = Math.max(served.longestWait, now - ticket.waitingSince)
    after(served.host.takes, () => {
      served.responses++
      served.held += served.host.takes
      core.release(ticket, served.host.closes !== true, Infinity, now)
      perform()
      request(served.host)
    })
  }

  const connected = (slot: Slot<string>) => {
    const { host } = byKey.get(slot.origin.key)!
    if (host.dead === true) {
      core.dialFailed(slot, refused, now)
      return perform()
    }
    core.dialSucceeded(slot, "", host.streams ?? 1, host.streams !== undefined, now)
    perform()
  }

  const perform = () => {
    for (const action of core.state.actions.splice(0)) {
      if (action._tag === "Grant") granted(action.ticket)
      // It tries again at once, as a client that retries.
      if (action._tag === "Refuse") after(1, () => request(byKey.get(action.ticket.origin.key)!.host))
      if (action._tag === "Dial") {
        byKey.get(action.slot.origin.key)!.dials++
        after(dialing, () => connected(action.slot))
      }
      if (action._tag === "Close") {
        after(closing, () => {
          core.closed(action.slot, now)
          perform()
        })
      }
    }
  }

  for (const host of hosts) for (let client = 0; client < host.clients; client++) after(0, () => request(host))
  for (let next = agenda.shift(); next !== undefined && next.at <= duration; next = agenda.shift()) {
    for (let due = deadlines.earliest(); due <= next.at; due = deadlines.earliest()) {
      now = Math.max(now, due)
      deadlines.expire(now)
      perform()
    }
    now = next.at
    next.run()
  }
  return byKey
}
