import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"

/**
 * A platform client is two functions. `preprocess` is what `mapRequest`, `tapRequest` and their like have composed;
 * `postprocess` sends what comes of it. The platform's types show `execute` alone, which runs one after the other.
 */
export interface Halves<E, R> {
  readonly preprocess: HttpClient.HttpClient.Preprocess<E, R>
  readonly postprocess: HttpClient.HttpClient.Postprocess<E, R>
}

export const isClient = (value: unknown): value is HttpClient.HttpClient =>
  typeof value === "object" && value !== null && HttpClient.TypeId in value

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
