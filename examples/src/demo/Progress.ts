import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * Where a program reports how far it has come. It is silent unless somebody provides another one.
 */
export class Progress extends Context.Reference<Progress>()("@sluice/examples/demo/Progress", {
  defaultValue: () => ({ report: (_text: string): Effect.Effect<void> => Effect.void })
}) {}

export const report = (text: string): Effect.Effect<void> =>
  Effect.flatMap(Progress, (progress) => progress.report(text))
