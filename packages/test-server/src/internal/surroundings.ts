import type { Breaking } from "../Reply.js"
import type { Http2Options } from "./http2/options.js"
import type { Account, Ledger } from "./ledger.js"
import type { Script } from "./script.js"

/** What a connection needs to know of its server. */
export interface Surroundings {
  readonly ledger: Ledger
  readonly script: Script
  readonly options: {
    readonly maxRequestsPerConnection: number
    /** In milliseconds. */
    readonly keepAliveTimeout: number
    readonly halfOpen: boolean
    readonly http2: Http2Options
  }
  readonly reading: Reading
}

/** How the server takes what its clients send. */
export interface Reading {
  readonly paused: boolean
  /** `Infinity`: as it comes. */
  readonly bytesPerSecond: number
}

/** What the server does to a connection, whatever its protocol. */
export interface Managed {
  readonly account: Account
  readonly isIdle: boolean
  /** Ends it in order once what is under way is done: FIN, and on HTTP/2 GOAWAY before. */
  readonly closeGently: () => void
  readonly destroy: (how: Breaking) => void
  readonly setReading: (reading: Reading) => void
  /** Writes bytes that nobody asked for, and then breaks the connection off if `close` says so. */
  readonly writeRaw: (bytes: Uint8Array, close?: Breaking) => void
}
