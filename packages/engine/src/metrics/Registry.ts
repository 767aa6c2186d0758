import type { Cancel } from "../Host.js"
import type { Attributes, Definition } from "./definitions.js"
import { labelsOf } from "./LabelSets.js"

export interface Updated {
  readonly update: (value: number) => void
}

/** Where a face keeps its metrics. The same definition and attributes are the same metric. */
export interface Registry {
  readonly metric: (definition: Definition, attributes: Attributes) => Updated
  /** Has this level read whenever somebody asks for it, until it is called off. */
  readonly level: (definition: Definition, attributes: Attributes, read: () => number) => Cancel
}

/** The metric with these attributes; when there are too many sets of them, one that many share. */
export const metricOf = (registry: Registry, definition: Definition, attributes: Attributes): Updated =>
  registry.metric(definition, labelsOf(definition, attributes))

/** What a level is the sum of. */
interface Sum {
  readonly sources: Set<() => number>
  readonly stop: Cancel
}

const sums = new WeakMap<Registry, Map<string, Sum>>()

/**
 * A level is not counted when something happens but read when somebody asks, an exporter once in ten seconds: the way of
 * a request has nothing to do with it. Several pools may have the same attributes; then they add up.
 */
export const readLevel = (
  registry: Registry,
  definition: Definition,
  given: Attributes,
  source: () => number
): Cancel => {
  const attributes = labelsOf(definition, given)
  const key = `${definition.name} ${JSON.stringify(attributes)}`
  const known = sums.get(registry) ?? new Map<string, Sum>()
  sums.set(registry, known)
  const { sources, stop } = known.get(key) ?? addSum(registry, definition, attributes)
  known.set(key, { sources, stop })
  sources.add(source)
  return () => {
    if (!sources.delete(source) || sources.size > 0) return
    known.delete(key)
    stop()
  }
}

const addSum = (registry: Registry, definition: Definition, attributes: Attributes): Sum => {
  const sources = new Set<() => number>()
  const read = () => {
    let sum = 0
    for (const source of sources) sum += source()
    return sum
  }
  return { sources, stop: registry.level(definition, attributes, read) }
}
