/**
 * Why a connection was closed.
 *
 * - `Expired`: idle for `keepAliveExpiry`, or for as long as the server said it keeps it.
 * - `MaxAge`: older than `maxConnectionAge`.
 * - `MaxRequests`: it has served `maxRequestsPerConnection`.
 * - `KeepAliveLimit`: more than `maxKeepAliveConnections` were idle, and it was the one idle longest.
 * - `Evicted`: another origin needed its permit, or a request for which a used connection will not do.
 * - `LimitLowered`: a limit was lowered below what was open.
 * - `NotReusable`: the exchange left it unfit for another one: `Connection: close`, an unread rest, an interrupt.
 * - `ClosedByPeer`: the server ended it.
 * - `Failed`: reading, writing or the protocol failed.
 * - `DialFailed`, `DialAbandoned`: it never was a connection; nobody wanted it any more in the second case.
 * - `EvictIdle`: `evictIdle` was called, or others to its origin turned out to be dead.
 * - `PoolClosed`: the pool's scope ended.
 */
export type CloseReason =
  | "Expired"
  | "MaxAge"
  | "MaxRequests"
  | "KeepAliveLimit"
  | "Evicted"
  | "LimitLowered"
  | "NotReusable"
  | "ClosedByPeer"
  | "Failed"
  | "DialFailed"
  | "DialAbandoned"
  | "EvictIdle"
  | "PoolClosed"
