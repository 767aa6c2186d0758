import type { LeaseTicket } from "@sluice/engine/pool"
import * as Effect from "effect/Effect"
import type { Exchange, ExchangeHead } from "../../Connection.js"
import * as TransportError from "../../TransportError.js"
import { Call } from "./Call.js"
import { Inbox } from "./Inbox.js"
import { opensTunnel } from "./methods.js"
import { ResponseBody } from "./ResponseBody.js"
import { Waiters } from "./Waiters.js"

/**
 * Our side of an open tunnel.
 *
 * - `Open`: bytes are written.
 * - `Blocked`: the transport has no room for more.
 * - `Ending`: nothing more is written, but some of it may wait for the transport.
 * - `Ended`: all of it has been handed over.
 */
type Side = "Open" | "Blocked" | "Ending" | "Ended"

/** Bytes are handed to the transport in parts of this size, so that a server that takes none of them shows. */
const partSize = 64 * 1024

/**
 * A request that is to open a tunnel: an upgrade (RFC 9110 §7.8) or CONNECT (§9.3.6). Until the head of the answer it is
 * a request as any other, and when the answer opens no tunnel it stays one. An open tunnel lasts until `close`; what is
 * left of the timeouts is the one for writing.
 */
export class TunnelCall extends Call {
  readonly inbox = new Inbox(this, this.options.maxBufferedBody)
  private side: Side = "Open"
  wasOpened = false
  private failure: TransportError.TransportError | undefined = undefined
  /** Fibers that wait for the transport. */
  private readonly waiters = new Waiters()

  get isOpen(): boolean {
    return this.state === "Tunneling"
  }

  /** The Scope of the tunnel has ended: the connection is closed (HTTP/1.1), or the stream reset (HTTP/2). */
  close(): void {
    this.fail(new TransportError.BodyAbandoned({ ...this.details(), reason: "ScopeClosed" }))
  }

  override cancel(): void {
    if (this.isOpen) this.close()
    else super.cancel()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The exchange
  // ---------------------------------------------------------------------------------------------------------------

  protected override begin(ticket: LeaseTicket): void {
    const protocol = ticket.slot?.connection?.protocol
    if (protocol !== "h2" || this.prepared.wire.method === "CONNECT") return super.begin(ticket)
    this.fail(
      new TransportError.LocalProtocolError({
        origin: this.origin,
        reason: "NotSupported",
        detail: "the connection speaks HTTP/2, which knows no Upgrade; use a client with http2: false",
        section: "RFC 9113 §8.6"
      })
    )
  }

  override onHead(head: ExchangeHead): void {
    if (this.state !== "Sending" || !opensTunnel(this.prepared.wire.method, head.status)) return super.onHead(head)
    this.state = "Tunneling"
    this.wasOpened = true
    this.endDeadlines()
    const body = this.body = new ResponseBody(this, 0)
    body.complete([])
    this.answer(head, body)
    this.watch()
  }

  override onData(bytes: Uint8Array): void {
    if (this.isOpen) this.inbox.push(bytes)
    else super.onData(bytes)
  }

  override onComplete(trailers: ReadonlyArray<string>): void {
    if (this.isOpen) this.inbox.end()
    else super.onComplete(trailers)
  }

  override onDrain(): void {
    if (this.side === "Blocked") this.become("Open")
    super.onDrain()
  }

  override onSent(): void {
    if (this.side === "Ending") this.become("Ended")
    super.onSent()
  }

  protected override fail(error: TransportError.TransportError): void {
    if (!this.isOpen) return super.fail(error)
    this.end()
    this.failure = error
    this.inbox.fail(error)
    this.waiters.notify()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // Time
  // ---------------------------------------------------------------------------------------------------------------

  protected override get isUserSlow(): boolean {
    return this.isOpen ? !this.isWaiting : super.isUserSlow
  }

  /** Whether bytes of ours wait for the transport. */
  private get isWaiting(): boolean {
    return this.side === "Blocked" || this.side === "Ending"
  }

  protected override get isSending(): boolean {
    return this.isOpen || super.isSending
  }

  // ---------------------------------------------------------------------------------------------------------------
  // For the holder of the tunnel
  // ---------------------------------------------------------------------------------------------------------------

  /** Waits while the transport has no room. */
  write(bytes: Uint8Array, offset = 0): Effect.Effect<void, TransportError.TransportError> {
    return Effect.suspend(() => {
      let rest = offset
      while (rest < bytes.length && this.failure === undefined && this.side === "Open") {
        const part = bytes.subarray(rest, rest + partSize)
        rest += part.length
        if (!(this.exchange as Exchange).write(part)) this.become("Blocked")
      }
      if (this.failure !== undefined) return Effect.fail(this.failure)
      if (this.side === "Blocked") return Effect.zipRight(this.settled, this.write(bytes, rest))
      return rest < bytes.length ? Effect.fail(this.ended()) : Effect.void
    })
  }

  /** Nothing more is written. Waits until all that was has been handed to the transport. */
  readonly finish: Effect.Effect<void, TransportError.TransportError> = Effect.suspend(() => {
    if (this.failure === undefined && (this.side === "Open" || this.side === "Blocked")) {
      this.become("Ending")
      ;(this.exchange as Exchange).end()
    }
    return Effect.zipRight(this.settled, Effect.suspend(() => this.failure ? Effect.fail(this.failure) : Effect.void))
  })

  /** Until nothing waits for the transport. */
  private readonly settled = this.waiters.until(() => this.failure !== undefined || !this.isWaiting)

  private become(side: Side): void {
    this.side = side
    this.watch()
    this.waiters.notify()
  }

  private ended(): TransportError.TransportError {
    return new TransportError.WriteError({ ...this.details(), detail: "our side of the tunnel has ended already" })
  }
}
