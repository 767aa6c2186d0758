import type { definitions, Registry, Updated } from "@sluice/engine/metrics"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricState from "effect/MetricState"

/**
 * Effect's metrics. Attributes are part of the keys: a metric that is tagged afterwards looks itself up at every update.
 * The exporters of Effect read the unit from the tag `unit`.
 */
export const registry: Registry = {
  metric: (definition, attributes) => hookOf(definition, attributes),
  level: (definition, attributes, read) => {
    const hook = hookOf(definition, attributes) as { -readonly [K in keyof Hook]: Hook[K] }
    hook.get = () => MetricState.counter(read())
    // A metric is never forgotten: it goes on as the sum of nothing.
    return () => {
      hook.get = () => MetricState.counter(0)
    }
  }
}

/** What a metric of Effect is updated and read by. */
interface Hook extends Updated {
  readonly get: () => unknown
}

type Key = MetricKey.MetricKey.Counter<number>

/** Made once: boundaries are compared by being the same object. */
const keys = new WeakMap<definitions.Definition, Key>()

const keyOf = (definition: definitions.Definition): Key => {
  const known = keys.get(definition)
  if (known !== undefined) return known
  // What a metric takes is a number, whatever its kind.
  const key = MetricKey.tagged(untaggedKey(definition) as Key, "unit", definition.unit)
  keys.set(definition, key)
  return key
}

const untaggedKey = (definition: definitions.Definition) => {
  const { description, kind, name } = definition
  switch (kind) {
    case "Counter":
      return MetricKey.counter(name, { description, incremental: true })
    case "Level":
      return MetricKey.counter(name, { description })
    case "Histogram":
      return MetricKey.histogram(name, MetricBoundaries.fromIterable(definition.boundaries), description)
  }
}

const hookOf = (definition: definitions.Definition, attributes: definitions.Attributes): Hook => {
  let key = keyOf(definition)
  for (const [name, value] of Object.entries(attributes)) key = MetricKey.tagged(key, name, value)
  return Metric.globalMetricRegistry.get(key)
}
