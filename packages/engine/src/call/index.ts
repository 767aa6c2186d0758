/**
 * The life of a request: its state machine, its body out, its body in, tunnels.
 */
export * from "./BodySource.js"
export * from "./Call.js"
export * from "./CallResponse.js"
export * from "./Inbox.js"
export * from "./methods.js"
export * from "./PreparedRequest.js"
export * from "./requestHeaders.js"
export * from "./ResponseBody.js"
export * from "./target.js"
export * from "./TunnelCall.js"
export * from "./UpgradeCall.js"
