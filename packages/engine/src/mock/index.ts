/**
 * Mocks: which request is meant by which expectation, what is wrong with a test, and what is recorded. How responders run is
 * a face's.
 */
export { compile } from "./compile.js"
export * from "./content.js"
export type { Dialect } from "./Dialect.js"
export type { Entry } from "./Entry.js"
export * from "./expectations.js"
export { Fault } from "./Fault.js"
export { MockFailure } from "./MockFailure.js"
export * from "./MockLedger.js"
export { MockRequest } from "./MockRequest.js"
export type * from "./models.js"
export * from "./passed.js"
export * from "./recording.js"
