import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"

export interface Measured {
  readonly name: string
  readonly unit: string | undefined
  readonly attributes: Readonly<Record<string, string>>
  /** Of a counter or level; of a histogram, how many there were. */
  readonly value: number
  /** Of a histogram. */
  readonly sum: number
}

/** The metrics of the pools with this name, as an exporter reads them. */
export const metricsOf = (pool: string): ReadonlyArray<Measured> =>
  Metric.unsafeSnapshot().flatMap(({ metricKey, metricState }) => {
    const tags = Object.fromEntries(metricKey.tags.map(({ key, value }) => [key, value]))
    const { unit, "sluice.pool.name": name, ...attributes } = tags
    if (name !== pool) return []
    const isHistogram = MetricState.isHistogramState(metricState)
    const value = MetricState.isCounterState(metricState)
      ? Number(metricState.count)
      : isHistogram
      ? metricState.count
      : NaN
    return [{ name: metricKey.name, unit, attributes, value, sum: isHistogram ? metricState.sum : NaN }]
  })

/** The sum of those that have these attributes, whatever else they have. */
export const measured = (pool: string, name: string, attributes: Readonly<Record<string, string>> = {}): number =>
  metricsOf(pool).filter((each) =>
    each.name === name && Object.entries(attributes).every(([key, value]) => each.attributes[key] === value)
  ).reduce((sum, { value }) => sum + value, 0)
