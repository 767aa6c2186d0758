import type { Cancel } from "@sluice/engine"
import type { definitions, Registry, Updated } from "@sluice/engine/metrics"
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"

/**
 * Metrics are kept here and read when somebody asks: what a request does is a few additions, and it looks nothing up. There
 * is one for each registry of Effect's.
 */
export const registryOf = (context: Context.Context<never>): Registry => {
  const map = Context.get(context, Metric.MetricRegistry)
  const known = registries.get(map)
  if (known !== undefined) return known
  const registry = new PulledMetrics(context)
  registries.set(map, registry)
  return registry
}

const registries = new WeakMap<Metric.MetricRegistry, Registry>()

type Kept<State> = Updated & { readonly hooks: Metric.Metric.Hooks<number, State> }

class PulledMetrics implements Registry {
  private readonly known = new Map<string, Updated>()

  constructor(private readonly context: Context.Context<never>) {}

  metric(definition: definitions.Definition, attributes: definitions.Attributes): Updated {
    const key = `${definition.name} ${JSON.stringify(attributes)}`
    const known = this.known.get(key)
    if (known !== undefined) return known
    const kept = this.keep(definition, attributes)
    this.known.set(key, kept)
    return kept
  }

  private keep(definition: definitions.Definition, attributes: definitions.Attributes): Updated {
    const { description, name } = definition
    const labels = labelsOf(definition, attributes)
    if (definition.kind === "Histogram") {
      const { boundaries } = definition
      const kept = new Histogram(boundaries)
      Metric.registerUnsafe(
        Metric.histogram(name, { description, attributes: labels, boundaries }),
        this.context,
        kept.hooks
      )
      return kept
    }
    const kept = new Counter()
    const counter = Metric.counter(name, { description, attributes: labels, incremental: true })
    Metric.registerUnsafe(counter, this.context, kept.hooks)
    return kept
  }

  level(definition: definitions.Definition, attributes: definitions.Attributes, read: () => number): Cancel {
    const { description, name } = definition
    const level = Metric.counter(name, { description, attributes: labelsOf(definition, attributes) })
    const nothing = () => {}
    const hooks = { get: () => ({ count: read(), incremental: false }), update: nothing, modify: nothing }
    return Metric.registerUnsafe(level, this.context, hooks).remove
  }
}

/** The exporters of Effect read the unit from the attribute `unit`. */
const labelsOf = ({ unit }: definitions.Definition, attributes: definitions.Attributes): definitions.Attributes => ({
  unit,
  ...attributes
})

class Counter implements Kept<Metric.CounterState<number>> {
  private count = 0

  update(by: number): void {
    this.count += by
  }

  readonly hooks: Metric.Metric.Hooks<number, Metric.CounterState<number>> = {
    get: () => ({ count: this.count, incremental: true }),
    update: (by) => this.update(by),
    modify: (by) => this.update(by)
  }
}

class Histogram implements Kept<Metric.HistogramState> {
  private readonly counts: Array<number>
  private count = 0
  private sum = 0
  private min = Number.MAX_VALUE
  private max = -Number.MAX_VALUE

  constructor(private readonly boundaries: ReadonlyArray<number>) {
    this.counts = boundaries.map(() => 0)
  }

  update(value: number): void {
    this.count++
    this.sum += value
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
    const { boundaries } = this
    for (let i = 0; i < boundaries.length; i++) {
      if (value <= boundaries[i]) {
        this.counts[i]++
        return
      }
    }
  }

  readonly hooks: Metric.Metric.Hooks<number, Metric.HistogramState> = {
    get: () => {
      let below = 0
      return {
        buckets: this.boundaries.map((boundary, i): [number, number] => [boundary, below += this.counts[i]]),
        count: this.count,
        min: this.min,
        max: this.max,
        sum: this.sum
      }
    },
    update: (value) => this.update(value),
    modify: (value) => this.update(value)
  }
}
