import { deepStrictEqual, ok, strictEqual } from "node:assert"
import type { Deadlines, PoolCore, Slot, Ticket } from "../../../src/pool/index.js"
import type { Reference, RefOrigin, RefSlot, RefTicket } from "./Reference.js"

/** The core and its reference, and what is what in both. */
interface Pair {
  readonly core: PoolCore<string>
  readonly reference: Reference
  readonly deadlines: Deadlines
  readonly tickets: ReadonlyMap<Ticket<string>, RefTicket>
  readonly slots: ReadonlyMap<Slot<string>, RefSlot>
}

type Facts = Readonly<Record<string, unknown>>

/** `deepStrictEqual` for flat records, at a tenth of the cost while they are equal. */
const same = (actual: Facts, expected: Facts, what: string): void => {
  for (const key in expected) if (actual[key] !== expected[key]) deepStrictEqual(actual, expected, what)
}

const sameOrder = (actual: ReadonlyArray<number>, expected: ReadonlyArray<number>, what: string): void => {
  if (actual.join() !== expected.join()) deepStrictEqual(actual, expected, what)
}

/** What holds after every step, whatever the step was. */
export const check = (pair: Pair, step: string, openBefore: number): void => {
  const { core, deadlines, reference, slots, tickets } = pair
  const pool = core.state
  const { limits } = reference

  strictEqual(pool.actions.length, 0, "no action is left")

  // Permits: one for each connection that is open, and no more than the limit unless it was lowered.
  const open = reference.open()
  strictEqual(pool.open, open)
  strictEqual(pool.slots.size, open)
  ok(open <= Math.max(limits.maxConnections, openBefore), `${open} open of ${limits.maxConnections}`)
  strictEqual(pool.dialing, reference.count(["Dialing"]))
  strictEqual(pool.closing, reference.count(["Closing"]))
  const active = reference.slots.filter((slot) => slot.busy > 0 && slot.state !== "Closing").length
  strictEqual(open, active + reference.idle().length + pool.dialing + pool.closing, "in one of four states")

  // Each connection is in one state, and in the lists of that state.
  for (const [slot, ref] of slots) {
    const { origin } = slot
    const dials = ref.state === "Planned" || ref.state === "Dialing"
    const idle = ref.state === "Ready" && ref.busy === 0
    same(
      {
        state: slot.state,
        busy: slot.busy,
        served: slot.served,
        capacity: slot.state === "Ready" ? slot.capacity : ref.capacity,
        planned: pool.planned.has(slot.poolLink),
        dials: origin.dials.has(slot.originLink),
        lru: pool.idle.has(slot.poolLink),
        idle: origin.idle.has(slot.originLink),
        shared: origin.shared.has(slot.originLink),
        slots: pool.slots.has(slot),
        expiry: deadlines.isSet(slot.expiry),
        age: slot.age !== undefined && deadlines.isSet(slot.age)
      },
      {
        state: ref.state,
        busy: ref.busy,
        served: ref.served,
        capacity: ref.capacity,
        planned: ref.state === "Planned",
        dials,
        lru: idle,
        idle: idle && ref.capacity > 0,
        shared: reference.shared(ref.origin).includes(ref),
        slots: ref.state !== "Planned",
        expiry: (idle && ref.expiresAt !== Infinity) || ref.state === "Dialing",
        age: ref.agesAt !== Infinity && ref.state === "Ready"
      },
      `connection ${ref.id}`
    )
    if (idle) {
      ok(ref.expiresAt > reference.now, "an idle connection outlives its expiry")
      ok(!reference.isOverLimit(ref.origin), "what is idle closes first when a limit is lowered")
    }
    if (ref.state === "Ready") ok(ref.agesAt > reference.now, "a connection outlives its age")
  }
  sameOrder([...pool.idle].map((_) => _.id), reference.idle().map((_) => _.id), "idle longest first")
  ok(pool.idle.size <= limits.maxKeepAliveConnections, "more are idle than may be kept")

  // Each request is settled once.
  let set = 0
  for (const [ticket, ref] of tickets) {
    const overdue = ref.state === "Waiting" && ticket.overdue
    same({ state: ticket.state, overdue }, { state: ref.state, overdue: ref.overdue }, `request ${ref.id}`)
    ok(ref.settled === (ref.state === "Waiting" ? 0 : 1), "settled once")
    if (ticket.deadline !== undefined && deadlines.isSet(ticket.deadline)) {
      strictEqual(ref.state, "Waiting", "no deadline outlives its wait")
      set++
    }
    const isConnecting = ticket.connectDeadline !== undefined && deadlines.isSet(ticket.connectDeadline)
    if (isConnecting) set++
    const mayConnect = ref.isConnecting || (overdue && ref.timeout <= 0)
    if (ref.state !== "Waiting" || !mayConnect || ref.connectTimeout === Infinity) ok(!isConnecting || overdue)
    else ok(isConnecting && ref.connectEnd > reference.now, "a dial is under way for it, and its time to connect runs")
    if (isConnecting) strictEqual(ticket.connectEnd, ref.connectEnd)
  }
  strictEqual(pool.leases.size, reference.leases().length)
  const connections = pool.slots.size === 0 ? [] : [...pool.slots]
  strictEqual(
    deadlines.size,
    set + [...pool.origins.values()].filter((_) => _.isBackingOff).length +
      connections.filter((_) => deadlines.isSet(_.expiry)).length +
      [...slots.values()].filter((_) => _.resumesAt !== undefined && _.state !== "Closing").length +
      connections.filter((_) => _.age !== undefined && deadlines.isSet(_.age)).length,
    "no deadline is left behind"
  )

  // Origins: every count made anew.
  let waitersWithoutDial = 0
  let wantedDials = 0
  for (const ref of reference.all()) {
    const origin = pool.origins.get(ref.key)
    ok(origin !== undefined)
    const waiters = reference.waiters(ref)
    sameOrder([...origin.waiters].map((_) => tickets.get(_)!.id), waiters.map((_) => _.id), "in order of arrival")
    same(
      {
        sharing: origin.sharing._tag,
        capacity: origin.sharing._tag === "Shared" ? origin.sharing.capacity : undefined,
        dialsPaused: origin.dialsPaused,
        planned: origin.planned,
        warming: origin.warming,
        dials: origin.dials.size,
        open: origin.open,
        ready: origin.ready,
        closing: origin.closing,
        waitersWithoutDial: origin.waitersWithoutDial,
        wantedDials: origin.wantedDials,
        overdue: origin.overdue,
        roundRobin: pool.roundRobin.has(origin.roundRobinLink),
        isBackingOff: origin.isBackingOff,
        backingOff: pool.backingOff.has(origin.backingOffLink),
        spareDials: pool.withSpareDials.has(origin.spareDialsLink)
      },
      {
        sharing: ref.sharing._tag,
        capacity: ref.sharing._tag === "Shared" ? ref.sharing.capacity : undefined,
        dialsPaused: ref.dialsPaused,
        planned: reference.count(["Planned"], ref),
        warming: reference.warming(ref),
        dials: reference.dials(ref),
        open: reference.open(ref),
        ready: reference.count(["Ready"], ref),
        closing: reference.count(["Closing"], ref),
        waitersWithoutDial: reference.waitersWithoutDial(ref),
        wantedDials: reference.wantedDials(ref),
        overdue: waiters.filter((_) => _.overdue).length,
        roundRobin: reference.wantedDials(ref) > 0,
        isBackingOff: ref.isBackingOff,
        backingOff: reference.isDueWhileBackingOff(ref),
        spareDials: reference.spareDials(ref) > 0
      },
      ref.key
    )
    waitersWithoutDial += reference.waitersWithoutDial(ref)
    wantedDials += reference.wantedDials(ref)
    checkWaiters(pair, ref)
  }
  strictEqual(pool.waiting, reference.waiters().length)
  strictEqual(pool.waitersWithoutDial, waitersWithoutDial)
  strictEqual(pool.wantedDials, wantedDials)

  // Nobody waits while there is something that they could use.
  if (reference.isClosed) {
    strictEqual(reference.waiters().length, 0, "nobody waits for a pool that is closed")
  } else if (wantedDials > 0) {
    ok(!reference.hasRoom(), `${step}: an origin waits for a dial, and there is room for one`)
    strictEqual(reference.idle().length, 0, "it waits, and an idle connection could make room")
    ok(
      reference.all().every((_) => reference.spareDials(_) === 0),
      "it waits, and a dial that nobody needs could make room"
    )
  }
  for (const origin of reference.isClosed ? [] : reference.all()) {
    if (reference.crowdedOut(origin) === 0) continue
    for (const other of reference.group(origin)) {
      ok(reference.idle(other).every(({ capacity }) => capacity === 0), "another way to the server could make room")
      strictEqual(reference.spareDials(other), 0, "a dial to the server that nobody needs could make room")
    }
  }
  if (!reference.isClosed && reference.hasRoom()) {
    ok(
      !reference.all().some((_) => reference.isDueWhileBackingOff(_)),
      "there is room, and an origin that backs off could try"
    )
  }
  if (reference.count(["Planned"]) > 0) {
    ok(open >= limits.maxConnections, "a dial waits, and a permit is free")
    ok(reference.share() <= limits.maxConnections, "more dials are planned than there will be permits")
  }
}

const checkWaiters = ({ reference }: Pair, origin: RefOrigin): void => {
  const waiters = reference.waiters(origin)
  if (waiters.length === 0) return
  strictEqual(reference.shared(origin).length, 0, "it waits, and a shared connection has room")
  strictEqual(reference.idle(origin).filter((_) => _.capacity > 0).length, 0, "it waits, and a connection is idle")
  const underWay = reference.underWay(origin)
  waiters.forEach((ticket, index) => {
    if (ticket.deadline <= reference.now) ok(index < underWay, "its time is up, and no dial is under way for it")
    if (ticket.overdue) ok(index < reference.waitersWithDial(origin), "overdue, and no dial is meant for it")
  })
}
