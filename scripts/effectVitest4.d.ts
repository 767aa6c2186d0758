// What the examples use of @effect/vitest for Effect 4. The package itself asks for another vitest than this workspace has.
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export { assert, describe } from "vitest"
export declare const it: {
  (name: string, test: () => void | Promise<void>): void
  readonly effect: <A, E>(name: string, test: () => Effect.Effect<A, E, Scope.Scope>) => void
  readonly live: <A, E>(name: string, test: () => Effect.Effect<A, E, Scope.Scope>) => void
}
