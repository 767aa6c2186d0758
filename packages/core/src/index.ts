/**
 * @since 0.1.0
 */
export * as Connection from "./Connection.js"
export * as ConnectionPool from "./ConnectionPool.js"
export * as Connector from "./Connector.js"
export * as Idempotency from "./Idempotency.js"
export * as Limits from "./Limits.js"
export * as Origin from "./Origin.js"
export * as PooledHttpClient from "./PooledHttpClient.js"
export * as PoolEvent from "./PoolEvent.js"
export * as PoolStats from "./PoolStats.js"
export * as Priority from "./Priority.js"
export * as Redirects from "./Redirects.js"
export * as Retry from "./Retry.js"
export * as Timeouts from "./Timeouts.js"
export * as Trailers from "./Trailers.js"
export * as TransportError from "./TransportError.js"
export * as Tunnel from "./Tunnel.js"
