/**
 * Who gets which connection: the decisions, without I/O.
 */
export * from "./CoreLimits.js"
export * from "./Deadlines.js"
export * from "./Event.js"
export * from "./LinkedList.js"
export * from "./OriginState.js"
export * from "./PoolCore.js"
export * from "./PoolState.js"
export * from "./Slot.js"
export * from "./Ticket.js"
