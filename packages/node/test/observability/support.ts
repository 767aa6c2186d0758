import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

export interface Ended {
  readonly name: string
  readonly parent: string | undefined
  readonly attributes: Record<string, unknown>
  readonly seconds: number
  readonly exit: Exit.Exit<unknown, unknown>
}

/** Keeps the spans that have ended. */
export const recording = () => {
  const ended: Array<Ended> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const attributes = new Map<string, unknown>()
      const span: Tracer.Span = {
        _tag: "Span",
        name,
        spanId: String(ended.length),
        traceId: "trace",
        parent,
        context,
        status: { _tag: "Started", startTime },
        attributes,
        links,
        sampled: true,
        kind,
        attribute: (key, value) => void attributes.set(key, value),
        event: () => {},
        addLinks: () => {},
        end: (endTime, exit) => {
          ended.push({
            name,
            parent: Option.getOrUndefined(Option.map(parent, (_) => _._tag === "Span" ? _.name : _.spanId)),
            attributes: Object.fromEntries(attributes),
            seconds: Number(endTime - startTime) / 1e9,
            exit
          })
        }
      }
      return span
    },
    context: (f) => f()
  })
  return { ended, tracer }
}
