import type { Breaking } from "../Reply.js"
import type { Http2Options } from "../TestServer.js"
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
  readonly readingPaused: boolean
}

/** What the server does to a connection, whatever its protocol. */
export interface Managed {
  readonly account: Account
  readonly isIdle: boolean
  /** Ends it in order once what is under way is done: FIN, and on HTTP/2 GOAWAY before. */
  readonly closeGently: () => void
  readonly destroy: (how: Breaking) => void
  readonly pauseReading: (paused: boolean) => void
  /** Writes bytes that nobody asked for. */
  readonly writeRaw: (bytes: Uint8Array) => void
}
