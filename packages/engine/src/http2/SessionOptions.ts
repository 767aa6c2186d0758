import type { BufferedBytes } from "./BufferedBytes.js"

/** How a connection behaves. */
export interface SessionOptions {
  /** How many streams it carries at once, if the server allows as many. */
  readonly maxConcurrentStreams: number
  /** What a server may send of one response before any of it is read, in bytes. */
  readonly initialWindowSize: number
  /** The same for all responses of the connection together. It is given back as bytes arrive. */
  readonly connectionWindowSize: number
  /** The most that the window of a stream grows to, for readers that keep up. */
  readonly maxWindowSize: number
  /** The largest header section that is accepted, in bytes as RFC 9113 §6.5.2 counts them. */
  readonly maxHeaderSize: number
  /** All interim responses (1xx) before one final response together, in bytes. */
  readonly maxInformationalSize: number
  /** What waits for its readers, over the connection. */
  readonly maxBufferedBytes: number
  /** The same over all connections of a pool, if it is counted. */
  readonly pooledBytes?: BufferedBytes | undefined
  /** See `LivenessOptions`. In milliseconds. */
  readonly pingInterval: number
  readonly pingTimeout: number
  /** How long the server may take to acknowledge our SETTINGS, in milliseconds. */
  readonly settingsTimeout: number
  /** Which fields must not be kept in a table on the way (RFC 7541 §7.1.3). */
  readonly isSensitive?: ((name: string, value: string) => boolean) | undefined
}

export const defaultSessionOptions: SessionOptions = {
  maxConcurrentStreams: 100,
  initialWindowSize: 1024 * 1024,
  connectionWindowSize: 16 * 1024 * 1024,
  maxWindowSize: 16 * 1024 * 1024,
  maxHeaderSize: 256 * 1024,
  maxInformationalSize: 256 * 1024,
  maxBufferedBytes: 32 * 1024 * 1024,
  pingInterval: Infinity,
  pingTimeout: 5000,
  settingsTimeout: 10_000
}
