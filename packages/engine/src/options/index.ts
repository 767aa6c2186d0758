/**
 * The options of the client in one table, and the checker over it.
 */
export * from "./check.js"
export * from "./environment.js"
export { expected, invalid, type Kind, type ToMillis } from "./Kind.js"
export { type Fields, type Group, join, type Option, type Resolved, rows } from "./Option.js"
export * from "./Problem.js"
export * from "./table.js"
export * from "./testTable.js"
