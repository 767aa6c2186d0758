/**
 * What is counted of pools and clients: names, attributes, and what they are the sums of. Where metrics are kept is a
 * face's.
 */
export * as definitions from "./definitions.js"
export * from "./poolMetrics.js"
export * from "./Registry.js"
