import type { CallOptions, TargetCache } from "@sluice/engine/call"
import { client, defaultsOf } from "@sluice/engine/options"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { ExchangeHead } from "../../Connection.js"
import type { Origin } from "../../Origin.js"
import type { Resolved } from "../../Timeouts.js"
import type { TransportError } from "../../TransportError.js"
import type { Decoding } from "./Decoding.js"

/**
 * The options of a client with their defaults filled in; `PooledHttpClient.Options` documents them.
 */
export interface ClientOptions extends CallOptions {
  readonly timeouts: Resolved
  readonly expectContinueTimeout: number
  readonly onInformational: ((request: HttpClientRequest, head: ExchangeHead) => void) | undefined
  /** What is shown of a path, in errors, spans, logs and snapshots. It does not throw. */
  readonly redactPath: RedactPath | undefined
  /** The URLs that this client has parsed lately. */
  readonly targets: TargetCache | undefined
  readonly decoding: Decoding | undefined
  /** Which way requests go, where it is not the plain one for all. */
  readonly route: RouteOf | undefined
}

export type RedactPath = (path: string) => string

/** The origin as it is reached for that URL, or why it is not. */
export type RouteOf = (origin: Origin, url: object | undefined) => Origin | TransportError

export const defaultOptions: ClientOptions = {
  ...defaultsOf(client),
  onInformational: undefined,
  redactPath: undefined,
  targets: undefined,
  decoding: undefined,
  route: undefined
}
