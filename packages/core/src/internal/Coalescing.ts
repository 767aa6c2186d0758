import type { OriginState, Refusal, Slot } from "@sluice/engine/pool"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type { Connection } from "../Connection.js"
import type { Connector } from "../Connector.js"
import type { Origin } from "../Origin.js"
import type { LeaseTicket } from "./LeaseHolder.js"
import type { PoolInterpreter } from "./PoolInterpreter.js"

/** Whose connections an origin shares, and which of them are known to serve it. */
interface Share {
  readonly state: OriginState<Connection>
  readonly slots: WeakSet<Slot<Connection>>
}

/** Origins that are remembered, to share or never to. */
const maxRemembered = 1000

/**
 * Origins that use the connections of others (RFC 9113 §9.1.1). Before an origin without a connection dials, the
 * connector is asked for one that serves it too. If there is one, the requests of this origin wait in the queue of the
 * other one, for as long as that has connections; so they count and wait like its own, and sharing takes no permit.
 *
 * The other origin may get a connection that was not asked about: to another address, with another certificate. A
 * request that is given such a one, or the error of its dial, goes back to the queue of its own origin.
 */
export class Coalescing {
  private readonly shares = new Map<string, Share>()
  private readonly apart = new Set<string>()
  private readonly probes = new Set<Fiber.RuntimeFiber<void, unknown>>()

  constructor(
    private readonly pool: PoolInterpreter,
    private readonly coalesce: NonNullable<Connector["coalesce"]>
  ) {}

  /** Whose connections requests to this origin wait for. */
  stateOf(origin: Origin): OriginState<Connection> {
    const own = this.pool.originState(origin)
    const speaksHttp1 = this.pool.options.connector.protocol(origin) === "http/1.1"
    const share = this.shares.get(origin.key)
    if (share !== undefined) {
      if (share.state.ready > 0 && own.ready === 0 && !speaksHttp1) return share.state
      this.shares.delete(origin.key)
    }
    const hasHopes = own.ready > 0 || own.dials.size > 0 || own.probing
    if (!hasHopes && !speaksHttp1 && !this.apart.has(origin.key)) this.probe(origin, own)
    // What took no time is known already.
    return this.shares.get(origin.key)?.state ?? own
  }

  /** False: the connection does not serve the ticket's origin, and it has asked for another one. */
  granted(ticket: LeaseTicket): boolean {
    const { origin, owner, slot } = ticket
    if (origin.key === owner.wanted.key) return true
    if (slot === undefined || this.shares.get(owner.wanted.key)?.slots.has(slot) === true) return true
    this.sendHome(ticket, slot)
    return false
  }

  /** False: what could not be dialed was for another origin, and the ticket has asked for a connection of its own. */
  refused(ticket: LeaseTicket, refusal: Refusal): boolean {
    if (refusal._tag !== "DialFailed" || ticket.origin.key === ticket.owner.wanted.key) return true
    this.sendHome(ticket, undefined)
    return false
  }

  keepApart(origin: Origin): void {
    this.shares.delete(origin.key)
    if (this.apart.size >= maxRemembered) this.apart.clear()
    this.apart.add(origin.key)
  }

  /** The pool closes. */
  stop(): void {
    for (const probe of this.probes) probe.unsafeInterruptAsFork(FiberId.none)
  }

  private sendHome(ticket: LeaseTicket, slot: Slot<Connection> | undefined): void {
    const { owner } = ticket
    this.shares.delete(owner.wanted.key)
    const own = this.pool.originState(owner.wanted)
    this.pool.step((core, now) => core.reroute(ticket, own, slot?.connection?.reusable === true, now))
    if (ticket.state === "Granted" && ticket.slot !== undefined) owner.granted(ticket, ticket.slot)
  }

  private probe(origin: Origin, own: OriginState<Connection>): void {
    const { core, options } = this.pool
    const open = new Map<Connection, Slot<Connection>>()
    for (const slot of core.state.slots) {
      if (slot.state === "Ready" && slot.connection?.protocol === "h2") open.set(slot.connection, slot)
    }
    if (core.state.phase !== "Open" || open.size === 0) return
    core.probe(own)
    let found: Array<Slot<Connection>> = []
    const asking = Effect.suspend(() => this.coalesce(origin, [...open.keys()])).pipe(
      Effect.timeoutOption(options.timeouts.connect),
      Effect.map((answer) => {
        const serving = new Set(answer._tag === "Some" ? answer.value : [])
        found = [...open].filter(([connection]) => serving.has(connection)).map(([, slot]) => slot)
      }),
      // A connector that dies of it will do so again when it dials, and then it is told.
      Effect.catchAllCause(() => Effect.void),
      Effect.ensuring(Effect.sync(() => {
        const shared = this.share(origin, found)
        this.pool.step((core, now) => core.probed(own, shared, now))
      }))
    )
    const fiber = this.pool.fork(asking)
    this.probes.add(fiber)
    fiber.addObserver(() => this.probes.delete(fiber))
  }

  /** Nothing is shared unless all connections of the other origin serve this one: nobody chooses between them. */
  private share(origin: Origin, found: ReadonlyArray<Slot<Connection>>): OriginState<Connection> | undefined {
    if (this.apart.has(origin.key)) return undefined
    const serving = found.filter((slot) => slot.state === "Ready")
    const ofSame = (slot: Slot<Connection>) => serving.filter((other) => other.origin === slot.origin)
    const slot = serving.find((slot) => ofSame(slot).length === slot.origin.ready)
    if (slot === undefined) return undefined
    if (this.shares.size >= maxRemembered) this.shares.clear()
    this.shares.set(origin.key, { state: slot.origin, slots: new WeakSet(ofSame(slot)) })
    this.pool.events.emit({ _tag: "Coalesced", origin: origin.key, with: slot.origin.key, connection: slot.id })
    return slot.origin
  }
}
