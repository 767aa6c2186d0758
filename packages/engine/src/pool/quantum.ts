import type { LimitGroup, OriginState, Slot } from "./entities.js"
import type { PoolState } from "./PoolState.js"
import * as slots from "./slots.js"

// How long an origin keeps a connection that another one waits for, and which one is next. Without a quantum each request
// between two origins that share one permit would cost a connection; with it the price of changing is at most a tenth of
// the time. Next is the origin that has had the least connection time while others waited: turns alone would give nearly
// all of it to an origin of long responses.

/** A quantum is so many times what it takes to connect to the origin, */
const dialTimes = 10
/** but no less and no more than this, in milliseconds, */
const shortest = 50
const longest = 1000
/** and no more than so many requests. */
const mostRequests = 1000

/** What an origin had is forgotten by half in so many milliseconds. */
const halfLife = 10_000
/** One step compares no more than so many origins; the next one goes on with those behind them. */
const mostCompared = 32

export const quantumOf = <C>(origin: OriginState<C>): number =>
  Math.min(longest, Math.max(shortest, dialTimes * origin.lastDialTime))

/** Notes when origins begin, and cease, to wait for connections of others. To be called at the end of each step. */
export const noteContention = <C>(pool: PoolState<C>, now: number): void => {
  if (pool.wantedDials === 0) pool.contendedSince = Infinity
  else if (pool.contendedSince === Infinity) pool.contendedSince = now
}

// -----------------------------------------------------------------------------------------------------------------
// What an origin had
// -----------------------------------------------------------------------------------------------------------------

/**
 * Connection time that the origin had while others waited. It fades, and is forgotten when nobody waits any more. Who
 * comes late begins with what the one had that was next last: it has missed nothing.
 */
const chargedTo = <C>(pool: PoolState<C>, origin: OriginState<C>, now: number): number =>
  Math.max(left(pool, origin, now), left(pool, pool, now))

const left = <C>(pool: PoolState<C>, { charged, chargedAt }: Charged, now: number): number =>
  chargedAt < pool.contendedSince ? 0 : charged * 2 ** ((chargedAt - now) / halfLife)

interface Charged {
  readonly charged: number
  readonly chargedAt: number
}

/** A whole quantum for a connection that could not be used again; a dial costs one as well, whatever came of it. */
export const chargeQuantum = <C>(pool: PoolState<C>, origin: OriginState<C>, now: number): void =>
  charge(pool, origin, quantumOf(origin), now)

/** The time since the connection was charged for last. */
export const chargeUse = <C>(pool: PoolState<C>, slot: Slot<C>, now: number): void => {
  begin(pool, slot)
  charge(pool, slot.origin, now - slot.chargedAt, now)
  slot.chargedAt = now
}

/**
 * Whatever it had at the same time over other connections, an origin is no more than this and a quantum behind: so it
 * waits until each of the others has had that, and no longer.
 */
const charge = <C>(pool: PoolState<C>, origin: OriginState<C>, millis: number, now: number): void => {
  if (pool.contendedSince === Infinity) return
  const before = chargedTo(pool, origin, now)
  const most = left(pool, pool, now) + quantumOf(origin) + millis
  origin.charged = Math.max(before, Math.min(before + millis, most))
  origin.chargedAt = now
}

// -----------------------------------------------------------------------------------------------------------------
// Who is next
// -----------------------------------------------------------------------------------------------------------------

/**
 * The origin that is to have a connection now: whom one was given back for, else the one that has fewest. There has to be
 * one that wants one.
 */
export const next = <C>(pool: PoolState<C>, now: number): OriginState<C> => {
  const { yieldedTo } = pool
  const isStillWanted = yieldedTo !== undefined && pool.roundRobin.has(yieldedTo.roundRobinLink)
  const origin = isStillWanted ? yieldedTo : least(pool, now, isFewer, () => true) as OriginState<C>
  // One whose server has no room yet keeps its turn.
  if (isStillWanted || yieldedTo?.waiters.size === 0) pool.yieldedTo = undefined
  pool.roundRobin.moveToBack(origin.roundRobinLink)
  reached(pool, origin, now)
  charge(pool, origin, quantumOf(origin), now)
  return origin
}

/**
 * Whether a connection that is given back must make room for another origin. One that has none, or would have no more
 * than this one is left with, goes first: so one slow host cannot hold all of them (okhttp via palantir #867), and
 * origins with about equal shares do not take each other's connections in turn.
 */
export const mustYield = <C>(pool: PoolState<C>, slot: Slot<C>, now: number): boolean => {
  if (pool.crowdedOut.size > 0 && mustYieldInGroup(pool, slot, now)) return true
  if (pool.wantedDials === 0) return false
  begin(pool, slot)
  const { origin } = slot
  const first = pool.roundRobin.first as OriginState<C>
  if (!isOver(slot, now)) return isUrgent(first, now) && hasLess(first, origin) && yieldTo(pool, first)
  chargeUse(pool, slot, now)
  const other = least(pool, now, () => 0, (other) => other !== origin && hasLess(other, origin))
  const isBehind = other !== undefined && chargedTo(pool, other, now) <= chargedTo(pool, origin, now)
  if (isBehind || (other !== undefined && isUrgent(other, now))) return yieldTo(pool, other)
  reached(pool, origin, now)
  restart(slot, now)
  return false
}

const yieldTo = <C>(pool: PoolState<C>, origin: OriginState<C>): true => {
  pool.yieldedTo = origin
  return true
}

/** Nobody who comes now begins with less than the one whose turn this is. */
const reached = <C>(pool: PoolState<C>, origin: OriginState<C>, now: number): void => {
  pool.charged = chargedTo(pool, origin, now)
  pool.chargedAt = now
}

/**
 * Of those that want a connection and are fit, the one whose oldest waiter cannot wait any longer; else the least by
 * `order`; of equal ones the one with the least time charged, and then the one whose last turn was longest ago.
 */
const least = <C>(
  pool: PoolState<C>,
  now: number,
  order: (one: OriginState<C>, other: OriginState<C>) => number,
  isFit: (origin: OriginState<C>) => boolean
): OriginState<C> | undefined => {
  let best: OriginState<C> | undefined = undefined
  for (let left = Math.min(mostCompared, pool.roundRobin.size); left > 0; left--) {
    const origin = pool.roundRobin.first as OriginState<C>
    pool.roundRobin.moveToBack(origin.roundRobinLink)
    if (!isFit(origin)) continue
    if (isUrgent(origin, now)) return origin
    const before = best === undefined
      ? -1
      : order(origin, best) || chargedTo(pool, origin, now) - chargedTo(pool, best, now)
    if (before < 0) best = origin
  }
  return best
}

const isFewer = <C>(one: OriginState<C>, other: OriginState<C>): number => one.share - other.share

/** Whether the first waiter has waited for half of its time. */
const isUrgent = <C>(origin: OriginState<C>, now: number): boolean => {
  const oldest = origin.waiters.first
  return oldest !== undefined && now - oldest.waitingSince >= oldest.timeout / 2
}

const hasLess = <C>(one: OriginState<C>, other: OriginState<C>): boolean =>
  one.share === 0 || one.share + 1 < other.share

// -----------------------------------------------------------------------------------------------------------------
// Ways to the same server
// -----------------------------------------------------------------------------------------------------------------

/**
 * What some ways to a server have idle, or dial for nobody, makes room for those that wait for another way to it. True if
 * there is more room in the pool now.
 */
export const makeRoomInGroups = <C>(pool: PoolState<C>): boolean => {
  let isMore = false
  for (const group of new Set([...pool.crowdedOut].map(({ group }) => group))) {
    while (isCrowded(pool, group)) {
      const idle = longestIdle(group)
      const spare = [...group.members].find((member) => pool.withSpareDials.has(member.spareDialsLink))
      if (idle !== undefined) slots.retire(pool, idle, "Evicted")
      else if (spare !== undefined) slots.abandonDial(pool, slots.spareDial(spare), "DialAbandoned")
      else break
      isMore = true
    }
  }
  return isMore
}

/** Whether its members wait for more connections than are being closed. */
const isCrowded = <C>(pool: PoolState<C>, { closing, members }: LimitGroup<C>): boolean => {
  let crowdedOut = 0
  for (const member of members) if (pool.crowdedOut.has(member.crowdedLink)) crowdedOut += member.crowdedOut
  return crowdedOut > closing
}

const longestIdle = <C>({ members }: LimitGroup<C>): Slot<C> | undefined => {
  let longest: Slot<C> | undefined = undefined
  for (const { idle: { first } } of members) {
    if (first !== undefined && (longest === undefined || first.idleSince < longest.idleSince)) longest = first
  }
  return longest
}

/**
 * Who has waited longest gets the next connection that nobody needs, or that has lived for a quantum, whichever way it
 * goes.
 */
const mustYieldInGroup = <C>(pool: PoolState<C>, { busy, connectedAt, origin }: Slot<C>, now: number): boolean => {
  const { group } = origin
  if (group.members.size === 1 || !isCrowded(pool, group)) return false
  if (busy === 0 && origin.waiters.size === 0) return true
  const own = origin.waiters.first?.waitingSince ?? Infinity
  const mayEnd = now - connectedAt >= quantumOf(origin)
  for (const other of group.members) {
    const first = pool.crowdedOut.has(other.crowdedLink) ? other.waiters.first : undefined
    if (other === origin || first === undefined || first.waitingSince > own) continue
    if (mayEnd || isUrgent(other, now)) return yieldTo(pool, other)
  }
  return false
}

// -----------------------------------------------------------------------------------------------------------------
// The quantum of a connection
// -----------------------------------------------------------------------------------------------------------------

/** Whether the connection has been with its origin for a quantum while others waited. */
const isOver = <C>(slot: Slot<C>, now: number): boolean =>
  now - slot.quantumSince >= quantumOf(slot.origin) || slot.served - slot.servedBefore >= mostRequests

/** A quantum begins with contention, or with the connection. */
const begin = <C>(pool: PoolState<C>, slot: Slot<C>): void => {
  if (slot.quantumSince >= pool.contendedSince) return
  slot.chargedAt = Math.max(slot.connectedAt, pool.contendedSince)
  restart(slot, slot.chargedAt)
}

export const restart = <C>(slot: Slot<C>, at: number): void => {
  slot.quantumSince = at
  slot.servedBefore = slot.served
}
