/**
 * The words that all rooms of the engine share.
 */
export * from "./CloseReason.js"
export * from "./Connection.js"
export * from "./describeFailure.js"
export * from "./describeSnapshot.js"
export * from "./DialStage.js"
export * from "./Explanation.js"
export * as Failure from "./Failure.js"
export * from "./format.js"
export * from "./Host.js"
export * as Origin from "./Origin.js"
export type { OriginLimits } from "./OriginLimits.js"
export * from "./PassingReceiver.js"
export * from "./PoolSnapshot.js"
export * from "./printing.js"
export type { RequestTimeouts } from "./RequestTimeouts.js"
export * from "./RuntimeHooks.js"
