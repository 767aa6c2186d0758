import type { Connection, ExchangeHead, Protocol } from "../Connection.js"
import type { LeaseTicket, Slot } from "../pool/index.js"
import { connectionFacts } from "./connectionFacts.js"
import type { ResponseBody } from "./ResponseBody.js"

/** How a response came. Times in milliseconds. */
export interface ConnectionFacts {
  /** The connection's number in its pool, as in events. */
  readonly id: number
  readonly protocol: Protocol
  readonly remoteAddress: string | undefined
  /** Whether the connection had served another request before. */
  readonly reused: boolean
  /** How long the request waited for its connection; that includes making a new one. */
  readonly waitTime: number
  /** How long making the connection took, TLS included; undefined when it was reused. */
  readonly connectTime: number | undefined
  /** How much of that was the TLS handshake. */
  readonly tlsTime: number | undefined
  /**
   * What has become of the request's body: none; still being sent, though the response is there; handed to the system
   * whole; or not sent whole, because the server said that it did not want it (any status from 300), the connection broke,
   * or nobody waited any more.
   */
  readonly upload: UploadProgress
  /**
   * How many bytes of the request's body have been handed to the system so far. What it has taken need not have reached the
   * server. In an HTTP/2 stream that the server gives no credit they wait with us, and do not count.
   */
  readonly uploaded: number
}

export type UploadProgress = "none" | "sending" | "complete" | "stopped"

/**
 * The response of a call, as soon as its head is there.
 */
export class CallResponse {
  constructor(
    readonly head: ExchangeHead,
    readonly body: ResponseBody,
    private readonly ticket: LeaseTicket,
    private readonly slot: Slot<Connection>,
    private readonly connection: Connection,
    private readonly call: { readonly uploadState: UploadProgress; readonly uploaded: number }
  ) {}

  get remoteAddress(): string | undefined {
    return this.connection.remoteAddress
  }

  get facts(): ConnectionFacts {
    const { uploadState, uploaded } = this.call
    return { ...connectionFacts(this.ticket, this.slot, this.connection), upload: uploadState, uploaded }
  }
}
