/**
 * Who gets which connection: the decisions, without I/O, and what has them carried out.
 */
export * from "./CoreLimits.js"
export * from "./Deadlines.js"
export * from "./entities.js"
export * from "./Event.js"
export * from "./inFlight.js"
export * from "./LeaseOwner.js"
export * from "./LinkedList.js"
export * from "./PoolCensus.js"
export * from "./PoolCore.js"
export * from "./PoolDriver.js"
export * from "./PoolState.js"
export * from "./reserve.js"
export * from "./Share.js"
export * from "./snapshot.js"
export * from "./Timekeeper.js"
export * from "./UnreadBodies.js"
