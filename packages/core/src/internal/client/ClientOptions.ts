import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { ExchangeHead } from "../../Connection.js"
import { defaults, type Resolved } from "../../Timeouts.js"

/**
 * The options of a client with their defaults filled in; `PooledHttpClient.Options` documents them.
 */
export interface ClientOptions {
  readonly timeouts: Resolved
  readonly maxBufferedBody: number
  readonly maxDiscardedBody: number
  readonly maxResponseSize: number
  readonly expectContinueTimeout: number
  readonly onInformational: ((request: HttpClientRequest, head: ExchangeHead) => void) | undefined
}

export const defaultOptions: ClientOptions = {
  timeouts: defaults,
  maxBufferedBody: 256 * 1024,
  maxDiscardedBody: 64 * 1024,
  maxResponseSize: Infinity,
  expectContinueTimeout: 1000,
  onInformational: undefined
}
