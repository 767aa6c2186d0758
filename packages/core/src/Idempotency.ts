/**
 * Keys that let a server recognise a request that it has seen before, so that one sent twice has one effect.
 *
 * The field is `Idempotency-Key` of the IETF draft "The Idempotency-Key HTTP Header Field", which many services
 * understand.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"

/**
 * The keys of one call: a request that is sent again gets the key that it had.
 *
 * @since 0.1.0
 * @category models
 */
export interface Keys {
  readonly keyFor: (method: string, url: string) => string
}

/**
 * The keys of the call that the fiber is in.
 *
 * @since 0.1.0
 * @category fiber refs
 */
export const current: FiberRef.FiberRef<Keys | undefined> = globalValue(
  Symbol.for("@sluice/core/Idempotency/current"),
  () => FiberRef.unsafeMake<Keys | undefined>(undefined)
)

/**
 * Gives the POST and PATCH requests of a call an `Idempotency-Key`, unless they have one: a key for each method and
 * URL, made anew each time the call is run, and the same for all its retries, wherever the retrying happens, as long as
 * it is within the call. With a key such a request counts as safe to repeat.
 *
 * @example
 * ```ts
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as Idempotency from "@sluice/core/Idempotency"
 * import * as Effect from "effect/Effect"
 *
 * const order = HttpClient.HttpClient.pipe(
 *   Effect.flatMap((client) => client.post("http://127.0.0.1:8080/orders")),
 *   Effect.retry({ times: 3 }),
 *   Idempotency.withKey
 * )
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const withKey = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => Effect.locally(call, current, makeKeys()))

const makeKeys = (): Keys => {
  const keys = new Map<string, string>()
  return {
    keyFor: (method, url) => {
      const request = `${method} ${url}`
      let key = keys.get(request)
      if (key === undefined) {
        key = crypto.randomUUID()
        keys.set(request, key)
      }
      return key
    }
  }
}
