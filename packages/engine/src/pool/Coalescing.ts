import type { Connection } from "../Connection.js"
import type { Cancel, Host } from "../Host.js"
import type { Origin } from "../Origin.js"
import { Deadline } from "./Deadlines.js"
import type { OriginState, Refusal, Slot } from "./entities.js"
import type { Event } from "./Event.js"
import type { LeaseTicket } from "./LeaseOwner.js"
import type { PoolCore } from "./PoolCore.js"
import type { Timekeeper } from "./Timekeeper.js"

/** What sharing needs of the pool. */
export interface CoalescingPool {
  readonly core: PoolCore<Connection>
  readonly time: Timekeeper
  readonly originState: (origin: Origin) => OriginState<Connection>
  readonly step: (decide: (core: PoolCore<Connection>, now: number) => void) => void
  readonly emit: (event: Event) => void
}

/** Whose connections an origin shares, and which of them are known to serve it. */
interface Share {
  readonly state: OriginState<Connection>
  readonly slots: WeakSet<Slot<Connection>>
}

/** A question to the host about an origin. It ends once: with what was found, without it in time, or with the pool. */
class Probe {
  cancel: Cancel | undefined = undefined
  readonly deadline = new Deadline<Probe>(this, (probe) => probe.end([]))
  private isOver = false

  constructor(private readonly onEnd: (probe: Probe, serving: ReadonlyArray<Connection>) => void) {}

  get isUnderWay(): boolean {
    return !this.isOver
  }

  readonly end = (serving: ReadonlyArray<Connection>): void => {
    if (this.isOver) return
    this.isOver = true
    this.cancel?.()
    this.onEnd(this, serving)
  }
}

/** Origins that are remembered, to share or never to. */
const maxRemembered = 1000

/**
 * Origins that use the connections of others (RFC 9113 §9.1.1). Before an origin without a connection dials, the host is
 * asked for one that serves it too. If there is one, the requests of this origin wait in the queue of the other one, for
 * as long as that has connections; so they count and wait like its own, and sharing takes no permit.
 *
 * The other origin may get a connection that was not asked about: to another address, with another certificate. A
 * request that is given such a one, or the failure of its dial, is rerouted to its own origin.
 */
export class Coalescing {
  private readonly shares = new Map<string, Share>()
  private readonly excluded = new Set<string>()
  private readonly probes = new Set<Probe>()

  constructor(
    private readonly pool: CoalescingPool,
    private readonly host: Pick<Host, "protocol">,
    private readonly coalesce: NonNullable<Host["coalesce"]>,
    /** How long the host may take to find out, in milliseconds. */
    private readonly timeout: number
  ) {}

  /** Whose connections requests to this origin wait for. */
  stateOf(origin: Origin): OriginState<Connection> {
    const own = this.pool.originState(origin)
    const speaksHttp1 = this.host.protocol(origin) === "http/1.1"
    const share = this.shares.get(origin.key)
    if (share !== undefined) {
      if (share.state.ready > 0 && own.ready === 0 && !speaksHttp1) return share.state
      this.shares.delete(origin.key)
    }
    const hasOwn = own.ready > 0 || own.dials.size > 0 || own.probing
    if (!hasOwn && !speaksHttp1 && !this.excluded.has(origin.key)) this.probe(origin, own)
    // What took no time is known already.
    return this.shares.get(origin.key)?.state ?? own
  }

  /** False: the connection does not serve the ticket's origin, and the ticket was rerouted. */
  serves(ticket: LeaseTicket): boolean {
    const { origin, owner, slot } = ticket
    if (origin.key === owner.wanted.key) return true
    const mayShare = owner.sharesConnections !== false
    if (slot === undefined || (mayShare && this.shares.get(owner.wanted.key)?.slots.has(slot) === true)) return true
    this.reroute(ticket, slot)
    return false
  }

  /** False: what could not be dialed was for another origin, and the ticket was rerouted. */
  concerns(ticket: LeaseTicket, refusal: Refusal): boolean {
    if (refusal._tag !== "DialFailed" || ticket.origin.key === ticket.owner.wanted.key) return true
    this.reroute(ticket, undefined)
    return false
  }

  /** The origin never shares connections of others again. */
  exclude(origin: Origin): void {
    this.shares.delete(origin.key)
    if (this.excluded.size >= maxRemembered) this.excluded.clear()
    this.excluded.add(origin.key)
  }

  /** The pool closes. */
  stop(): void {
    for (const probe of this.probes) probe.end([])
  }

  private reroute(ticket: LeaseTicket, slot: Slot<Connection> | undefined): void {
    this.shares.delete(ticket.owner.wanted.key)
    const own = this.pool.originState(ticket.owner.wanted)
    this.pool.step((core, now) => core.reroute(ticket, own, slot?.connection?.reusable === true, now))
  }

  private probe(origin: Origin, own: OriginState<Connection>): void {
    const { core, time } = this.pool
    const open = new Map<Connection, Slot<Connection>>()
    for (const slot of core.state.slots) {
      if (slot.state === "Ready" && slot.connection?.protocol === "h2") open.set(slot.connection, slot)
    }
    if (core.state.phase !== "Open" || open.size === 0) return
    core.probe(own)
    const probe = new Probe((probe, serving) => {
      this.probes.delete(probe)
      time.deadlines.cancel(probe.deadline)
      const slots = serving.flatMap((connection) => open.get(connection) ?? [])
      const shared = this.share(origin, slots)
      this.pool.step((core, now) => core.probed(own, shared, now))
    })
    this.probes.add(probe)
    probe.cancel = this.coalesce(origin, [...open.keys()], probe.end)
    if (probe.isUnderWay) time.deadlines.set(probe.deadline, this.timeout, time.now())
  }

  /** Nothing is shared unless all connections of the other origin serve this one: nobody chooses between them. */
  private share(origin: Origin, found: ReadonlyArray<Slot<Connection>>): OriginState<Connection> | undefined {
    if (this.excluded.has(origin.key)) return undefined
    const serving = found.filter((slot) => slot.state === "Ready")
    const ofSame = (slot: Slot<Connection>) => serving.filter((other) => other.origin === slot.origin)
    const slot = serving.find((slot) => ofSame(slot).length === slot.origin.ready)
    if (slot === undefined) return undefined
    if (this.shares.size >= maxRemembered) this.shares.clear()
    this.shares.set(origin.key, { state: slot.origin, slots: new WeakSet(ofSame(slot)) })
    this.pool.emit({ _tag: "Coalesced", origin: origin.key, with: slot.origin.key, connection: slot.id })
    return slot.origin
  }
}
