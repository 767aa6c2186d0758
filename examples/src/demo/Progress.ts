import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * Where a program tells how far it has come. It is silent unless somebody provides another one.
 */
export class Progress extends Context.Reference<Progress>()("@sluice/examples/demo/Progress", {
  defaultValue: () => ({ tell: (_text: string): Effect.Effect<void> => Effect.void })
}) {}

export const tell = (text: string): Effect.Effect<void> => Effect.flatMap(Progress, (progress) => progress.tell(text))
