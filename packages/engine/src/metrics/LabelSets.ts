import type { Attributes, Definition } from "./definitions.js"

/**
 * Metrics are not forgotten, and a crawler asks thousands of hosts: so many sets of attributes have a metric of their own,
 * over all pools of the process. What comes after is counted under `other`.
 */
const most = 1000

const taken = new Set<string>()

/** What keeps apart what an alarm needs apart, when there is room for nothing else. */
const reduced = (attributes: Attributes): Attributes => ({
  "server.address": "other",
  ...("error.type" in attributes ? { "error.type": "other" } : {}),
  ...("http.connection.state" in attributes ? { "http.connection.state": attributes["http.connection.state"] } : {})
})

/** The attributes under which a metric is counted: its own, or when there are too many sets of them, those that many share. */
export const labelsOf = (definition: Definition, attributes: Attributes): Attributes => {
  // Only servers are without number.
  if (!("server.address" in attributes)) return attributes
  const wanted = `${definition.name} ${JSON.stringify(attributes)}`
  if (!taken.has(wanted) && taken.size >= most) return reduced(attributes)
  taken.add(wanted)
  return attributes
}
