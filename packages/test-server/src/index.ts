/**
 * @since 0.1.0
 */
export type { ConnectionInfo, TlsInfo } from "./ConnectionInfo.js"

/**
 * @since 0.1.0
 */
export * as FaultProxy from "./FaultProxy.js"

/**
 * @since 0.1.0
 */
export * as Frame from "./Frame.js"

/**
 * @since 0.1.0
 */
export * as FramePeer from "./FramePeer.js"

/**
 * @since 0.1.0
 */
export * as Gate from "./Gate.js"

/**
 * @since 0.1.0
 */
export type { ReceivedRequest } from "./ReceivedRequest.js"

/**
 * @since 0.1.0
 */
export * as Reply from "./Reply.js"

/**
 * @since 0.1.0
 */
export type * as Script from "./Script.js"

/**
 * @since 0.1.0
 */
export type { ServerEvent } from "./ServerEvent.js"

/**
 * @since 0.1.0
 */
export type { ServerStats } from "./ServerStats.js"

/**
 * @since 0.1.0
 */
export * as TestAuthority from "./TestAuthority.js"

/**
 * @since 0.1.0
 */
export * as TestProxy from "./TestProxy.js"

/**
 * @since 0.1.0
 */
export * as TestServer from "./TestServer.js"
