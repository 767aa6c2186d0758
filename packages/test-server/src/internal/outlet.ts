import type { Socket } from "node:net"
import type { Breaking, Late, Options, TunnelOptions } from "../Reply.js"
import type { Lifetime } from "./lifetime.js"
import type { Received } from "./received.js"

type Fields = ReadonlyArray<readonly [string, string]>

/** A body before it is sent. The length is undefined where it is not known. */
export interface BodyShape {
  readonly length: number | undefined
  readonly contentType: string | undefined
}

/** Where a reply goes: an HTTP/1.1 connection or an HTTP/2 stream. */
export interface Outlet {
  readonly request: Received
  readonly lifetime: Lifetime
  /** Writes an informational response. */
  readonly informational: (status: number, headers: Fields) => void
  /** Writes the head. False when the response may have no body (HEAD, 204, 304). */
  readonly head: (options: Options, body: BodyShape) => boolean
  /** Writes a part of the body; the promise is there when the client must be waited for. */
  readonly write: (bytes: Uint8Array) => Promise<void> | undefined
  /** Writes bytes that are no HTTP, or breaks off where that can't be done. */
  readonly raw: (bytes: Uint8Array) => Promise<void> | undefined
  /** What the connection does once what has been written is out, beside everything else. */
  readonly late: (actions: ReadonlyArray<Late>) => void
  readonly finish: (trailers: Fields) => void
  readonly finishRaw: (close: boolean) => void
  /** Breaks off, once what was written is out. */
  readonly cut: (how: Breaking) => void
  readonly tunnel: (options: TunnelOptions, far: Socket | undefined) => Promise<void> | void
  /** Stops and starts the flow of the request's body. */
  readonly holdBody: (hold: boolean) => void
}
