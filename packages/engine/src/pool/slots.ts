import type { CloseReason } from "../CloseReason.js"
import { Deadline } from "./Deadlines.js"
import type { OriginState, Slot } from "./entities.js"
import type { PoolState } from "./PoolState.js"

// The steps in the life of a slot. Each leaves the slot in one state, in the lists of that state, and counted once.

/** By how much `maxConnectionAge` is shortened at most, so that connections made together do not end together. */
const ageJitter = 0.1

/** Jitter comes in steps, to keep the number of distinct durations small (see `Deadlines`). */
const ageJitterSteps = 16

/** A dial is decided. It has no permit yet. */
export const plan = <C>(pool: PoolState<C>, slot: Slot<C>): void => {
  const origin = slot.origin
  pool.planned.pushBack(slot.poolLink)
  origin.planned++
  origin.group.planned++
  if (slot.warming > 0) {
    origin.warming++
    origin.dials.pushFront(slot.originLink)
  } else {
    origin.dials.pushBack(slot.originLink)
  }
  pool.updateGroup(origin)
}

/** It takes a permit and dials. */
export const startDial = <C>(pool: PoolState<C>, slot: Slot<C>, now: number): void => {
  const origin = slot.origin
  pool.planned.remove(slot.poolLink)
  origin.planned--
  origin.group.planned--
  slot.state = "Dialing"
  slot.dialedAt = now
  pool.slots.add(slot)
  pool.open++
  pool.dialing++
  origin.open++
  origin.group.open++
  pool.update(origin)
  if (pool.observed) pool.emit({ _tag: "DialStarted", origin: origin.key, connection: slot.id })
  pool.actions.push({ _tag: "Dial", slot })
  pool.options.background.set(slot.expiry, pool.options.dialPatience, now)
}

/** Apart from the compiler's knowledge of what it was before. */
export const isDialing = <C>(slot: Slot<C>): boolean => slot.state === "Dialing"

/** Whatever the dial's end is, it is no longer under way. */
export const endDial = <C>(pool: PoolState<C>, slot: Slot<C>): void => {
  pool.dialing--
  pool.options.background.cancel(slot.expiry)
  if (slot.warming > 0) slot.origin.warming--
  slot.origin.dials.remove(slot.originLink)
}

/** A call of `warm` waits for a dial that is under way or planned already. */
export const alsoWarm = <C>(pool: PoolState<C>, slot: Slot<C>): void => {
  slot.warming++
  if (slot.warming > 1) return
  const { origin, originLink } = slot
  origin.warming++
  origin.dials.remove(originLink)
  origin.dials.pushFront(originLink)
  pool.update(origin)
}

/** A call of `warm` no longer wants it. */
export const stopWarming = <C>(pool: PoolState<C>, slot: Slot<C>): void => {
  slot.warming--
  if (slot.warming > 0) return
  slot.origin.warming--
  slot.origin.dials.moveToBack(slot.originLink)
  pool.update(slot.origin)
}

/** Of an origin with more dials than it needs, the one that has come least far. */
export const spareDial = <C>(origin: OriginState<C>): Slot<C> => {
  let spare = origin.dials.last as Slot<C>
  if (origin.planned > 0) {
    for (const slot of origin.dials) if (slot.state === "Planned" && slot.warming === 0) spare = slot
  }
  return spare
}

/** Nobody needs this dial any more. */
export const abandonDial = <C>(pool: PoolState<C>, slot: Slot<C>, reason: CloseReason): void => {
  if (slot.state === "Dialing") {
    endDial(pool, slot)
    return startClosing(pool, slot, reason)
  }
  slot.state = "Closed"
  slot.reason = reason
  pool.planned.remove(slot.poolLink)
  slot.origin.planned--
  slot.origin.group.planned--
  if (slot.warming > 0) slot.origin.warming--
  // There is nothing to close yet; those that watch this dial are notified of its end.
  pool.actions.push({ _tag: "Close", slot })
  slot.origin.dials.remove(slot.originLink)
  pool.updateGroup(slot.origin)
}

/** The dial has become a connection; nobody uses it yet. */
export const becomeReady = <C>(
  pool: PoolState<C>,
  slot: Slot<C>,
  connection: C,
  capacity: number,
  onAge: (slot: Slot<C>, now: number) => void,
  now: number
): void => {
  endDial(pool, slot)
  slot.state = "Ready"
  slot.connection = connection
  slot.capacity = capacity
  slot.connectedAt = now
  slot.origin.ready++
  limitAge(pool, slot, onAge, now)
}

/** Lets it become as old as the limits allow now. */
export const limitAge = <C>(
  pool: PoolState<C>,
  slot: Slot<C>,
  onAge: (slot: Slot<C>, now: number) => void,
  now: number
): void => {
  const { maxConnectionAge } = slot.origin.limits
  if (maxConnectionAge === Infinity) return pool.options.background.cancel(slot.age)
  if (slot.age === undefined) {
    slot.age = new Deadline(slot, onAge)
    slot.ageJitter = ageJitter * Math.floor(pool.options.random() * ageJitterSteps) / ageJitterSteps
  }
  const rest = maxConnectionAge * (1 - slot.ageJitter) - (now - slot.connectedAt)
  if (rest > 0) pool.options.background.set(slot.age, rest, now)
  else retire(pool, slot, "MaxAge")
}

/** It carries nothing: it may be kept for so long, if the limits allow it. */
export const becomeIdle = <C>(pool: PoolState<C>, slot: Slot<C>, keepFor: number, now: number): void => {
  slot.idleSince = now
  slot.idleSinceDate = pool.options.wallClock()
  slot.keepFor = keepFor
  relist(pool, slot)
  if (pool.isOverLimit || pool.isOverOriginLimit(slot.origin)) return retire(pool, slot, "LimitLowered")
  if (!keepIdle(pool, slot, now)) return
  // Only those that are idle count (httpcore #1000), and the one idle longest goes.
  const longest = pool.idle.first
  if (longest !== undefined && pool.idle.size > pool.limits.maxKeepAliveConnections) {
    retire(pool, longest, "KeepAliveLimit")
  }
}

/** Keeps an idle connection for as long as the limits allow now; false when that is over, and it closes. */
export const keepIdle = <C>(pool: PoolState<C>, slot: Slot<C>, now: number): boolean => {
  const rest = idleLimit(slot) - (now - slot.idleSince)
  if (rest > 0) pool.options.background.set(slot.expiry, rest, now)
  else retire(pool, slot, "Expired")
  return rest > 0
}

const idleLimit = <C>(slot: Slot<C>): number => Math.min(slot.origin.limits.keepAliveExpiry, slot.keepFor)

/**
 * Whether an idle connection is too old to be lent, although its deadline has not passed: the event loop is late, or the
 * machine was suspended, and monotonic time stood still while the server's did not.
 */
export const hasExpired = <C>(pool: PoolState<C>, slot: Slot<C>, now: number): boolean => {
  const limit = idleLimit(slot)
  if (limit === Infinity) return false
  return Math.max(now - slot.idleSince, pool.options.wallClock() - slot.idleSinceDate) >= limit
}

/** Puts a slot into the lists that its state asks for, and out of the others. */
export const relist = <C>(pool: PoolState<C>, slot: Slot<C>): void => {
  const { busy, capacity, origin, originLink } = slot
  const ready = slot.state === "Ready"
  // What may be lent to nobody now, as in quarantine, makes room before what may.
  if (capacity === 0 && ready && busy === 0) pool.idle.moveToFront(slot.poolLink)
  else pool.idle.toggle(slot.poolLink, ready && busy === 0)
  if (ready && busy < capacity) (busy === 0 ? origin.idle : origin.shared).take(originLink)
  else originLink.list?.remove(originLink)
}

/** It takes nothing new; it closes when it carries nothing. */
export const retire = <C>(pool: PoolState<C>, slot: Slot<C>, reason: CloseReason): void => {
  if (slot.busy === 0) return startClosing(pool, slot, reason)
  if (slot.state !== "Ready") return
  leaveService(pool, slot)
  slot.state = "Draining"
  slot.reason = reason
  relist(pool, slot)
  pool.update(slot.origin)
}

/**
 * It makes room for another origin: it takes nothing new, and closes when it carries nothing. What it carries may take
 * for ever, though, and its origin is not to go without it for that.
 */
export const yieldToOther = <C>(
  pool: PoolState<C>,
  slot: Slot<C>,
  patience: number,
  onResumption: (slot: Slot<C>, now: number) => void,
  now: number
): void => {
  retire(pool, slot, "Evicted")
  if (slot.state !== "Draining") return
  slot.resumption ??= new Deadline(slot, onResumption)
  pool.options.deadlines.set(slot.resumption, patience, now)
}

/** Whatever it drains for, it takes no request again. */
export const drainForGood = <C>(pool: PoolState<C>, slot: Slot<C>): void =>
  pool.options.deadlines.cancel(slot.resumption)

/** What it carries outlasts the patience of others: it takes requests again. */
export const resume = <C>(pool: PoolState<C>, slot: Slot<C>): void => {
  slot.state = "Ready"
  slot.reason = undefined
  slot.origin.ready++
  relist(pool, slot)
  pool.update(slot.origin)
}

/** Out of service in this step, closed after it. */
export const startClosing = <C>(pool: PoolState<C>, slot: Slot<C>, reason: CloseReason): void => {
  const origin = slot.origin
  leaveService(pool, slot)
  slot.state = "Closing"
  slot.reason ??= reason
  pool.closing++
  origin.closing++
  origin.group.closing++
  relist(pool, slot)
  pool.actions.push({ _tag: "Close", slot })
  if (pool.observed && (reason === "Evicted" || reason === "Expired")) {
    pool.emit({ _tag: reason, origin: origin.key, connection: slot.id })
  }
  pool.updateGroup(origin)
}

/** The socket is gone, the permit is back. */
export const becomeClosed = <C>(pool: PoolState<C>, slot: Slot<C>, now: number): void => {
  const origin = slot.origin
  if (slot.state === "Closing") {
    pool.closing--
    origin.closing--
    origin.group.closing--
  } else {
    // Its scope ended without our asking: the pool's scope was closed around it.
    if (slot.state === "Dialing") endDial(pool, slot)
    leaveService(pool, slot)
  }
  slot.state = "Closed"
  relist(pool, slot)
  pool.slots.delete(slot)
  pool.open--
  origin.open--
  origin.group.open--
  if (pool.observed) {
    pool.emit({
      _tag: "Closed",
      origin: origin.key,
      connection: slot.id,
      reason: slot.reason ?? "PoolClosed",
      duration: now - slot.dialedAt,
      requests: slot.served
    })
  }
  pool.updateGroup(origin)
}

const leaveService = <C>(pool: PoolState<C>, slot: Slot<C>): void => {
  if (slot.state === "Ready") slot.origin.ready--
  pool.options.background.cancel(slot.expiry)
  pool.options.background.cancel(slot.age)
  pool.options.deadlines.cancel(slot.resumption)
}
