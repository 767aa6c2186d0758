import type { Limits } from "../Limits.js"
import type { Counts, PoolPicture } from "../PoolStats.js"

/** `5s`, `1.5s`, `20ms`. */
export const formatMillis = (millis: number): string =>
  millis === Infinity ? "for ever" : millis < 1000 ? `${Math.round(millis)}ms` : `${Math.round(millis / 100) / 10}s`

export const ordinal = (n: number): string => {
  const lastTwo = n % 100
  const suffix = lastTwo >= 11 && lastTwo <= 13 ? "th" : ["th", "st", "nd", "rd"][n % 10] ?? "th"
  return `${n}${suffix}`
}

/** A sentence of its own as what follows a colon: `The head …` is `the head …`, but `HTTP/1.0 …` stays. */
export const continued = (sentence: string): string =>
  sentence.replace(/^[A-Z][a-z]*(?= )/, (word) => word.toLowerCase())

const counted = (n: number, one: string, more: string): string => `${n} ${n === 1 ? one : more}`

/** The pool in lines: its limits and what it does, who holds its connections longest, what to do about it. */
export const formatPool = (pool: PoolPicture): string => {
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
        ` a connection: read or discard the first answer before the next request, or raise ${limitReached(pool)}.`
    )
  } else if (pool.longestHeld.length > 0) {
    lines.push(cure(pool))
  }
  return lines.join("\n")
}

/** It comes last also because the platform's errors add the request's URL to the end of their message. */
const cure = (pool: PoolPicture): string =>
  pool.longestHeld.some((holder) => holder.bodyUnread)
    ? `Read or discard bodies when the answer arrives, or raise ${limitReached(pool)}.`
    : `Send less at once, or raise ${limitReached(pool)}.`

const limitReached = ({ maxConnectionsPerOrigin, origin }: PoolPicture): string =>
  origin.open < maxConnectionsPerOrigin ? "limits.maxConnections" : "limits.maxConnectionsPerOrigin"

/** What an error says that came from elsewhere. */
export const describeCause = (cause: unknown): string =>
  cause instanceof Error ? cause.message : typeof cause === "string" ? cause : ""

/** An option's value for a message: a text is not to look like a number. */
export const formatValue = (value: unknown): string => typeof value === "string" ? JSON.stringify(value) : String(value)

/** A limit is named as the option that sets it. */
const counts = (of: Counts, option: keyof Limits, limit: number, where: string): string => {
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
