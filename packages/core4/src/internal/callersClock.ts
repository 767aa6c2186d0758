import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { EffectHost } from "./EffectHost.js"

/** Dies where the Clock of whoever runs this does not go with that of the pool. */
export const checked = <A, E, R>(
  { options: { clock, connector: { clockProblem } } }: EffectHost,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  clockProblem === undefined
    ? effect
    : Clock.clockWith((caller) => {
      const problem = clockProblem(caller, clock)
      return problem === undefined ? effect : Effect.die(problem)
    })

/** The same client where nothing is looked at. */
export const checkedClient = <E>(
  host: EffectHost,
  client: HttpClient.HttpClient.With<E>
): HttpClient.HttpClient.With<E> =>
  host.options.connector.clockProblem === undefined
    ? client
    : HttpClient.transformResponse(client, (response) => checked(host, response))
