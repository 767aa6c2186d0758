import { globalValue } from "effect/GlobalValue"
import * as Metric from "effect/Metric"
import type * as MetricHook from "effect/MetricHook"
import * as MetricKey from "effect/MetricKey"
import type * as MetricKeyType from "effect/MetricKeyType"
import type { Attributes, Definition } from "./definitions.js"

/**
 * Effect's metrics are never forgotten, and a crawler asks thousands of hosts: so many sets of attributes have a metric of
 * their own, over all pools of the process. What comes after is counted under `other`.
 */
const most = 1000

const taken = globalValue(Symbol.for("@sluice/core/labelSets"), () => new Set<string>())

/** What keeps apart what an alarm needs apart, when there is room for nothing else. */
const reduced = (attributes: Attributes): Attributes => ({
  "server.address": "other",
  ...("error.type" in attributes ? { "error.type": "other" } : {}),
  ...("http.connection.state" in attributes ? { "http.connection.state": attributes["http.connection.state"] } : {})
})

type Hook<Type extends MetricKeyType.MetricKeyType.Untyped> = MetricHook.MetricHook<
  MetricKeyType.MetricKeyType.InType<Type>,
  MetricKeyType.MetricKeyType.OutType<Type>
>

/** The metric with these attributes; when there are too many sets of them, one that many share. */
export const hookOf = <Type extends MetricKeyType.MetricKeyType.Untyped>(
  definition: Definition<MetricKey.MetricKey<Type>>,
  attributes: Attributes
): Hook<Type> => {
  const wanted = `${definition.name} ${JSON.stringify(attributes)}`
  // Only servers are without number.
  const isOwn = !("server.address" in attributes) || taken.has(wanted) || taken.size < most
  if (isOwn) taken.add(wanted)
  let key = MetricKey.tagged(definition.key(), "unit", definition.unit)
  for (const [name, value] of Object.entries(isOwn ? attributes : reduced(attributes))) {
    key = MetricKey.tagged(key, name, value)
  }
  return Metric.globalMetricRegistry.get(key as MetricKey.MetricKey<Type>) as Hook<Type>
}
