import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"

/**
 * A platform client is two functions. `preprocess` is what `mapRequest`, `tapRequest` and their like have composed;
 * `postprocess` sends what comes of it. The platform's types show `execute` alone, which runs one after the other.
 */
export interface Halves<E, R> {
  readonly preprocess: HttpClient.HttpClient.Preprocess<E, R>
  readonly postprocess: HttpClient.HttpClient.Postprocess<E, R>
}

export const isClient = (value: unknown): value is HttpClient.HttpClient => HttpClient.isHttpClient(value)

/** A client that was not made by the platform's `makeWith` has no halves: all of it counts as the one that sends. */
export const halvesOf = <E, R>(client: HttpClient.HttpClient.With<E, R>): Halves<E, R> => {
  const { postprocess, preprocess } = client as Partial<Halves<E, R>>
  return preprocess !== undefined && postprocess !== undefined
    ? { preprocess, postprocess }
    : {
      preprocess: Effect.succeed,
      postprocess: Effect.flatMap((request: HttpClientRequest) => client.execute(request))
    }
}
