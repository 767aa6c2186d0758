import { counted, formatMillis } from "./format.js"
import type { Counts, LeaseDescription, PoolSnapshot } from "./PoolSnapshot.js"

/** The pool in lines: its limits and what it does, who holds its connections longest, what to do about it. */
export const describeSnapshot = (pool: PoolSnapshot): string => {
  const { maxConnections, maxConnectionsPerOrigin, origin } = pool
  const lines = maxConnectionsPerOrigin === Infinity
    ? [counts(pool, limitOf(pool), maxConnections, "")]
    : [
      counts(origin, "limits.maxConnectionsPerOrigin", maxConnectionsPerOrigin, " to this origin"),
      counts(pool, limitOf(pool), maxConnections, " in all")
    ]
  if (pool.streamLimit !== undefined) lines.push(streams(pool.streamLimit))
  if (pool.lastFailure !== undefined) {
    const { ago, detail } = pool.lastFailure
    lines.push(`The last attempt to connect to this origin failed ${formatMillis(ago)} ago: ${detail}.`)
  }
  if (pool.longestHeld.length > 0) lines.push("Held longest by:")
  for (const owner of pool.longestHeld) lines.push(`  ${describeOwner(owner)}`)
  // It comes last also because the platform's errors add the request's URL to the end of their message.
  if (pool.longestHeld.length > 0) lines.push(cure(pool))
  return lines.join("\n")
}

/** The same in one line, for where the whole is printed beside it: who holds connections longest, and what to do. */
export const summarizeSnapshot = (pool: PoolSnapshot): string => {
  const [owner] = pool.longestHeld
  const limit = pool.streamLimit === undefined ? "" : `${streams(pool.streamLimit)} `
  return owner === undefined
    ? `${limit}${open(pool, limitOf(pool), pool.maxConnections, "")}.`
    : `${limit}Held longest by ${describeOwner(owner)}. ${cure(pool)}`
}

const streams = (limit: number): string =>
  `The server takes ${limit === 0 ? "no request" : counted(limit, "request", "requests")} at once over a connection ` +
  "(SETTINGS_MAX_CONCURRENT_STREAMS)."

const describeOwner = ({ age, bodyUnread, method, url }: LeaseDescription): string =>
  `${method} ${url} for ${formatMillis(age)}${bodyUnread ? ", its body unread" : ""}`

const cure = (pool: PoolSnapshot): string => {
  const { heldByThisFiber, heldByKin, longestHeld } = pool
  if (heldByThisFiber + heldByKin > 0) {
    const whose = heldByThisFiber > 0
      ? counted(heldByThisFiber, "request of the fiber that waits holds", "requests of the fiber that waits hold")
      : `${
        counted(heldByKin, "connection is", "connections are")
      } held by the fiber that this request was forked from, or ` +
        "by one that it was joined with"
    return `${whose}${
      heldByThisFiber > 0 ? " a connection" : ""
    }: read or discard the first response before the next ` +
      `request, or raise ${limitReached(pool)}.`
  }
  return longestHeld.some((owner) => owner.bodyUnread)
    ? `Read or discard bodies when the response arrives, or raise ${limitReached(pool)}.`
    : `Send less at once, or raise ${limitReached(pool)}.`
}

const limitReached = ({ maxConnectionsPerOrigin, origin, reserved }: PoolSnapshot): string =>
  origin.open >= maxConnectionsPerOrigin
    ? "limits.maxConnectionsPerOrigin"
    : reserved?.isOwn === true
    ? "reserved.connections"
    : "limits.maxConnections"

/** What the connections of the origin are limited by, together with those of others. */
const limitOf = ({ maxConnections, reserved }: PoolSnapshot): string =>
  reserved === undefined
    ? "limits.maxConnections"
    : reserved.isOwn
    ? "reserved.connections"
    : `limits.maxConnections is ${maxConnections + reserved.connections}, of which ${reserved.connections} ` +
      `${reserved.connections === 1 ? "is" : "are"} reserved for other origins`

/** A limit is named as the option that sets it. */
const counts = (of: Counts, option: string, limit: number, where: string): string =>
  `${open(of, option, limit, where)}: ${states(of)}; ${others(of.waiting)}.`

const open = (of: Counts, option: string, limit: number, where: string): string =>
  limit === Infinity
    ? `${counted(of.open, "connection is open", "connections are open")}${where}`
    : `${of.open} of ${counted(limit, "connection", "connections")} open${where} (${option})`

const states = ({ active, closing, dialing, idle }: Counts): string =>
  [
    `${active} active`,
    `${idle} idle`,
    ...(dialing > 0 ? [`${dialing} being made`] : []),
    ...(closing > 0 ? [`${closing} being closed`] : [])
  ].join(", ")

const others = (waiting: number): string =>
  waiting === 0 ? "no other request waits" : counted(waiting, "other request waits", "other requests wait")
