import { counted, formatMillis } from "./format.js"
import type { Counts, PoolSnapshot } from "./PoolSnapshot.js"

/** The pool in lines: its limits and what it does, who holds its connections longest, what to do about it. */
export const describeSnapshot = (pool: PoolSnapshot): string => {
  const { maxConnections, maxConnectionsPerOrigin, origin } = pool
  const lines = maxConnectionsPerOrigin === Infinity
    ? [counts(pool, "maxConnections", maxConnections, "")]
    : [
      counts(origin, "maxConnectionsPerOrigin", maxConnectionsPerOrigin, " to this origin"),
      counts(pool, "maxConnections", maxConnections, " in all")
    ]
  if (pool.longestHeld.length > 0) lines.push("Held longest by:")
  for (const holder of pool.longestHeld) {
    const unread = holder.bodyUnread ? ", its body unread" : ""
    lines.push(`  ${holder.method} ${holder.url} for ${formatMillis(holder.age)}${unread}`)
  }
  if (pool.heldByThisFiber > 0) {
    lines.push(
      `${
        counted(pool.heldByThisFiber, "request of the fiber that waits holds", "requests of the fiber that waits hold")
      }` +
        ` a connection: read or discard the first response before the next request, or raise ${limitReached(pool)}.`
    )
  } else if (pool.longestHeld.length > 0) {
    lines.push(cure(pool))
  }
  return lines.join("\n")
}

/** It comes last also because the platform's errors add the request's URL to the end of their message. */
const cure = (pool: PoolSnapshot): string =>
  pool.longestHeld.some((holder) => holder.bodyUnread)
    ? `Read or discard bodies when the response arrives, or raise ${limitReached(pool)}.`
    : `Send less at once, or raise ${limitReached(pool)}.`

const limitReached = ({ maxConnectionsPerOrigin, origin }: PoolSnapshot): string =>
  origin.open < maxConnectionsPerOrigin ? "limits.maxConnections" : "limits.maxConnectionsPerOrigin"

/** A limit is named as the option that sets it. */
const counts = (
  of: Counts,
  option: "maxConnections" | "maxConnectionsPerOrigin",
  limit: number,
  where: string
): string => {
  const open = limit === Infinity
    ? `${counted(of.open, "connection is open", "connections are open")}${where}`
    : `${of.open} of ${counted(limit, "connection", "connections")} open${where} (limits.${option})`
  return `${open}: ${states(of)}; ${others(of.waiting)}.`
}

const states = ({ active, closing, dialing, idle }: Counts): string =>
  [
    `${active} active`,
    `${idle} idle`,
    ...(dialing > 0 ? [`${dialing} being made`] : []),
    ...(closing > 0 ? [`${closing} being closed`] : [])
  ].join(", ")

const others = (waiting: number): string =>
  waiting === 0 ? "no other request waits" : counted(waiting, "other request waits", "other requests wait")
