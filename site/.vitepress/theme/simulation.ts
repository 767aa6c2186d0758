// A day of a pool in a few seconds: the core that decides in production, and a server, a network and a clock of numbers.
import {
  type CoreLimits,
  Deadlines,
  exclusive,
  type OriginState,
  PoolCore,
  type Slot,
  Ticket
} from "../../../packages/engine/src/pool/index.js"

/** What the sliders set. Times in milliseconds. */
export interface Settings {
  readonly maxConnections: number
  readonly maxConnectionsPerOrigin: number
  readonly maxKeepAliveConnections: number
  readonly keepAliveExpiry: number
  readonly poolTimeout: number
  /** Over all origins. */
  readonly requestsPerSecond: number
  readonly responseTime: number
  readonly connectTime: number
}

export interface ConnectionView {
  readonly id: number
  readonly origin: number
  readonly state: "dialing" | "busy" | "idle" | "closing"
}

/** What is shown, and counted over the last seconds. */
export interface View {
  readonly now: number
  readonly connections: ReadonlyArray<ConnectionView>
  /** The waiters of each origin. */
  readonly queues: ReadonlyArray<number>
  readonly served: number
  readonly refused: number
  readonly reused: number
  /** The median and the longest of the waits that ended, and the average number of connections in use. */
  readonly medianWait: number
  readonly longestWait: number
  readonly inUse: number
}

export const originNames = ["api", "search", "images"]

interface Owner {
  readonly arrived: number
}

/** How far back it counts. */
const window = 5_000

const limitsOf = (settings: Settings): CoreLimits => ({
  maxConnections: settings.maxConnections,
  maxConnectionsPerOrigin: settings.maxConnectionsPerOrigin,
  maxKeepAliveConnections: Math.min(settings.maxKeepAliveConnections, settings.maxConnections),
  keepAliveExpiry: settings.keepAliveExpiry,
  maxConnectionAge: Infinity,
  maxRequestsPerConnection: Infinity,
  maxPendingRequests: Infinity
})

interface Outcome {
  readonly at: number
  readonly wait: number
  readonly served: boolean
  readonly reused: boolean
}

export class Simulation {
  private now = 0
  private readonly deadlines = new Deadlines(() => {})
  private readonly core: PoolCore<number>
  private readonly origins: ReadonlyArray<OriginState<number>>
  /** What is to happen, soonest first. */
  private readonly agenda: Array<{ readonly at: number; readonly happen: () => void }> = []
  private outcomes: Array<Outcome> = []
  private inUse: Array<{ readonly at: number; readonly busy: number }> = []
  private untilNext = 0

  constructor(private settings: Settings) {
    this.core = new PoolCore<number>({
      limits: limitsOf(settings),
      deadlines: this.deadlines,
      background: this.deadlines,
      wallClock: () => this.now,
      whenFull: "dial",
      dialPatience: Infinity,
      random: Math.random
    })
    this.origins = originNames.map((name) => this.core.state.origin(name, exclusive))
  }

  change(settings: Settings): void {
    this.settings = settings
    this.core.setLimits(limitsOf(settings), this.now)
    this.carryOut()
  }

  advance(millis: number): void {
    const end = this.now + millis
    while (this.now < end) {
      this.now = Math.min(end, this.now + 1)
      this.untilNext -= 1
      while (this.untilNext <= 0) {
        this.arrive()
        // The times between requests that know nothing of each other.
        this.untilNext += -Math.log(1 - Math.random()) * 1_000 / this.settings.requestsPerSecond
      }
      while (this.agenda.length > 0 && this.agenda[0].at <= this.now) {
        this.agenda.shift()!.happen()
        this.carryOut()
      }
      this.deadlines.expire(this.now)
      this.carryOut()
    }
    const { state } = this.core
    this.inUse.push({ at: this.now, busy: state.leases.size })
    this.outcomes = this.outcomes.filter(({ at }) => at > this.now - window)
    this.inUse = this.inUse.filter(({ at }) => at > this.now - window)
  }

  view(): View {
    const { state } = this.core
    const served = this.outcomes.filter((outcome) => outcome.served)
    const waits = served.map(({ wait }) => wait).sort((one, other) => one - other)
    return {
      now: this.now,
      connections: [...state.slots].filter((slot) => slot.state !== "Planned").map((slot) => this.connection(slot)),
      queues: this.origins.map(({ waiters }) => waiters.size),
      served: served.length,
      refused: this.outcomes.length - served.length,
      reused: served.filter(({ reused }) => reused).length,
      medianWait: waits[waits.length >> 1] ?? 0,
      longestWait: waits.at(-1) ?? 0,
      inUse: this.inUse.reduce((sum, { busy }) => sum + busy, 0) / Math.max(1, this.inUse.length)
    }
  }

  private connection(slot: Slot<number>): ConnectionView {
    const state = slot.state === "Dialing"
      ? "dialing"
      : slot.state === "Closing"
      ? "closing"
      : slot.busy > 0
      ? "busy"
      : "idle"
    return { id: slot.id, origin: this.origins.indexOf(slot.origin), state }
  }

  private arrive(): void {
    // Half of the requests go to the first origin.
    const chance = Math.random()
    const origin = this.origins[chance < 0.5 ? 0 : chance < 0.8 ? 1 : 2]
    const ticket = new Ticket<number, Owner>(origin, { arrived: this.now }, this.settings.poolTimeout, Infinity)
    this.core.acquire(ticket as Ticket<number>, this.now)
    if (ticket.state === "Granted") this.granted(ticket as Ticket<number>)
    if (ticket.state === "Refused") this.ended(ticket as Ticket<number>, false)
    this.carryOut()
  }

  private granted(ticket: Ticket<number>): void {
    this.ended(ticket, true)
    // Some take longer than others.
    this.after(this.settings.responseTime * (0.5 + Math.random()), () => {
      this.core.release(ticket, true, Infinity, this.now)
    })
  }

  private ended(ticket: Ticket<number>, served: boolean): void {
    const { arrived } = ticket.owner as Owner
    this.outcomes.push({ at: this.now, wait: this.now - arrived, served, reused: ticket.reused })
  }

  private after(millis: number, happen: () => void): void {
    const at = this.now + millis
    const index = this.agenda.findIndex((entry) => entry.at > at)
    this.agenda.splice(index < 0 ? this.agenda.length : index, 0, { at, happen })
  }

  /** What the core wants to have done: its driver, in a dozen lines. */
  private carryOut(): void {
    const { actions } = this.core.state
    for (let i = 0; i < actions.length; i++) {
      const action = actions[i]
      switch (action._tag) {
        case "Grant":
          this.granted(action.ticket)
          break
        case "Refuse":
          this.ended(action.ticket, false)
          break
        case "Dial": {
          const { slot } = action
          this.after(this.settings.connectTime, () => this.core.dialSucceeded(slot, slot.id, 1, false, this.now))
          break
        }
        case "Close": {
          const { slot } = action
          this.after(20, () => this.core.closed(slot, this.now))
          break
        }
        case "Emit":
          break
      }
    }
    actions.length = 0
  }
}
