/**
 * How connections that speak HTTP/2 behave.
 *
 * @since 0.1.0
 */
import { defaultsOf, type Http2, http2 } from "@sluice/engine/options"
import type * as Duration from "effect/Duration"

/**
 * All of it has a default.
 *
 * @since 0.1.0
 * @category models
 */
export interface Http2Options {
  /**
   * Speaks HTTP/2 to `http:` origins too, without asking: they must all understand it (RFC 9113 §3.3). Default false.
   */
  readonly priorKnowledge?: boolean | undefined
  /**
   * How many requests a connection carries at once. What the server allows (`SETTINGS_MAX_CONCURRENT_STREAMS`) holds
   * where it is less. Default 100.
   */
  readonly maxConcurrentStreams?: number | undefined
  /**
   * How much of one response a server may send before it is read, in bytes (`SETTINGS_INITIAL_WINDOW_SIZE`). It bounds
   * the memory that a response nobody reads takes besides `maxBufferedBody`. For a reader that keeps up it grows, to
   * 16 MiB. Default: `maxBufferedBody` (256 KiB), but at least 16 KiB and at most 1 MiB.
   */
  readonly initialWindowSize?: number | undefined
  /**
   * The same for all responses of a connection together. It is given back as bytes arrive, so that a response that nobody
   * reads does not hold up the others. Default 16 MiB.
   */
  readonly connectionWindowSize?: number | undefined
  /**
   * How much of responses may wait for slow readers over all HTTP/2 connections, in bytes, besides `maxBufferedBody` of
   * each. From half of it on windows grow no more, and new responses get one of 64 KiB; at the limit connections let
   * nothing more through until something is read. Of one connection 32 MiB may wait. Default 128 MiB.
   */
  readonly maxBufferedBytes?: number | undefined
  /**
   * How long the server may send nothing at all, while requests are under way, until it is asked whether it is still
   * there (PING). Some servers take pings amiss that come more often than every five minutes. Default `"Infinity"`:
   * never; after a `ReadTimeout` or `WriteTimeout` it is asked in any case, unless something was read since.
   */
  readonly pingInterval?: Duration.Input | "Infinity" | undefined
  /**
   * How long the server may take to answer that. Until then the connection takes no new request, after that it is
   * closed and its requests fail. Default 5 seconds.
   */
  readonly pingTimeout?: Duration.Input | "Infinity" | undefined
  /**
   * Whether an `https:` origin that has no connection may use one that is open to another origin, at no cost in permits
   * (RFC 9113 §9.1.1): its certificate covers the origin's host, and it goes to an address and a port of that origin.
   * A server that answers 421 (Misdirected Request) to what comes this way is asked again over a connection of its
   * origin's own, unless the body cannot be sent twice, and from then on the two are kept apart. Not with `socketPath`,
   * `tls.servername` or `tls.rejectUnauthorized: false`. Default false.
   */
  readonly coalescing?: boolean | undefined
}

/**
 * What is used where nothing is given; durations in milliseconds.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaults: Http2 = defaultsOf(http2)
