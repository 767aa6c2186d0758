import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"

/** A tracer that keeps its spans. */
export const recording = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return {
    spans,
    clientSpans: () => spans.filter(({ kind }) => kind === "client"),
    /** Spans of clients are made where there is somebody to see them. */
    traced: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      effect.pipe(Effect.withSpan("outer"), Effect.provideService(Tracer.Tracer, tracer)) as Effect.Effect<A, E, R>
  }
}
