import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** More pools with the same options than this, alive at once, are a mistake: each service that provides a layer builds it. */
const handful = 2

const alive = new Map<number, number>()

let warned = false

/** Counts a pool until its Scope ends; says so once when there are too many alike. */
export const register = (options: unknown): Effect.Effect<void, never, Scope.Scope> =>
  Effect.suspend(() => {
    const kind = digest(JSON.stringify(options, identify) ?? "")
    const count = (alive.get(kind) ?? 0) + 1
    alive.set(kind, count)
    const leave = Effect.sync(() => {
      const left = (alive.get(kind) ?? 1) - 1
      if (left === 0) alive.delete(kind)
      else alive.set(kind, left)
    })
    const isNews = count > handful && !warned
    warned ||= isNews
    return Effect.andThen(Effect.addFinalizer(() => leave), isNews ? warning(count) : Effect.void)
  })

const functions = new WeakMap<object, number>()
let functionCount = 0

/** Two functions are alike if they are the same. */
const identify = (_key: string, value: unknown): unknown => {
  if (typeof value !== "function") return value
  let id = functions.get(value)
  if (id === undefined) functions.set(value, id = ++functionCount)
  return `function ${id}`
}

/** Options may hold keys and passwords, so that only a hash is kept to distinguish them (FNV-1a). */
const digest = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

const warning = (count: number) =>
  Effect.logWarning(
    `${count} connection pools with the same options are open. Is a client layer provided for each request, or made anew ` +
      "in each service? Each time it is built it is another pool, so limits do not hold and connections are not reused: " +
      "provide it once, around the whole program; services that are composed into one layer share it if it is one value, " +
      "as HttpClientLayer.default is."
  )
