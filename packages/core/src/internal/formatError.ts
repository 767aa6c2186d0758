import type { PoolPicture } from "../PoolStats.js"

/** `5s`, `1.5s`, `20ms`. */
export const formatMillis = (millis: number): string =>
  millis === Infinity ? "for ever" : millis < 1000 ? `${Math.round(millis)}ms` : `${Math.round(millis / 100) / 10}s`

export const ordinal = (n: number): string => {
  const lastTwo = n % 100
  const suffix = lastTwo >= 11 && lastTwo <= 13 ? "th" : ["th", "st", "nd", "rd"][n % 10] ?? "th"
  return `${n}${suffix}`
}

const counted = (n: number, one: string, more = `${one}s`): string => `${n} ${n === 1 ? one : more}`

/** The pool as a sentence or two: its limits, what it does, and who holds its connections longest. */
export const formatPool = (pool: PoolPicture): string => {
  const perOrigin = pool.maxConnectionsPerOrigin === Infinity ? "" : `, ${pool.maxConnectionsPerOrigin} for each origin`
  const counts = `${pool.active} active, ${pool.idle} idle, ${pool.dialing} dialing, ${pool.closing} closing`
  const lines = [
    `The pool allows ${counted(pool.maxConnections, "connection")}${perOrigin}: ${counts}; ` +
    `${counted(pool.waiting, "request waits", "requests wait")}.`
  ]
  for (const holder of pool.longestHeld) {
    const unread = holder.bodyUnread ? ", its body unread" : ""
    lines.push(`  held for ${formatMillis(holder.age)}: ${holder.method} ${holder.url}${unread}`)
  }
  if (pool.heldByThisFiber > 0) {
    lines.push(
      `  ${counted(pool.heldByThisFiber, "of them is", "of them are")} held by the very fiber that waits: ` +
        "read or discard the first answer before the next request, or raise maxConnections."
    )
  }
  return lines.join("\n")
}
