import * as Clock from "effect/Clock"
import * as HttpClient from "effect/http/HttpClient"
import * as Metric from "effect/Metric"

type Found = Readonly<Record<string, unknown>>

/**
 * What came last of all that this package uses. It is looked up by name: what does not know it can still be linked, and
 * then says so here.
 */
const found: Found = {
  "Clock.monotonicTimeNanos": (Clock as Found)["monotonicTimeNanos"],
  "HttpClient.isHttpClient": (HttpClient as Found)["isHttpClient"],
  "Metric.registerUnsafe": (Metric as Found)["registerUnsafe"]
}

/** Why this package does not work with the effect that is installed; undefined when it does. */
export const objection = (of: Found = found): string | undefined => {
  const absent = Object.keys(of).filter((name) => of[name] === undefined)
  return absent.length === 0
    ? undefined
    : `@sluice/core4 needs effect 4.1, and the one that is installed has no ${absent.join(", ")}: ` +
      "npm install effect@~4.1.0. For effect 3 there is @sluice/core."
}

/** `effect/http` is marked unstable, and package managers install what they like: better said here than found out later. */
export const requireEffect = (): void => {
  const why = objection()
  if (why !== undefined) throw new Error(why)
}
