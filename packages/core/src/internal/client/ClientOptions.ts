import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { CallOptions, TargetCache } from "@sluice/engine/call"
import type { ExchangeHead } from "../../Connection.js"
import { defaults, type Resolved } from "../../Timeouts.js"

/**
 * The options of a client with their defaults filled in; `PooledHttpClient.Options` documents them.
 */
export interface ClientOptions extends CallOptions {
  readonly timeouts: Resolved
  readonly expectContinueTimeout: number
  readonly onInformational: ((request: HttpClientRequest, head: ExchangeHead) => void) | undefined
  /** The URLs that this client has parsed lately. */
  readonly targets: TargetCache | undefined
}

export const defaultOptions: ClientOptions = {
  timeouts: defaults,
  maxBufferedBody: 256 * 1024,
  maxDiscardedBody: 64 * 1024,
  maxResponseSize: Infinity,
  expectContinueTimeout: 1000,
  onInformational: undefined,
  targets: undefined
}
