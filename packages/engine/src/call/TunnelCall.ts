import type { Connection, ExchangeHead } from "../Connection.js"
import * as Failure from "../Failure.js"
import type { Cancel } from "../Host.js"
import { Call } from "./Call.js"
import { earlyUpgrade } from "./callFailures.js"
import type { Awaited } from "./CallTimer.js"
import { Inbox } from "./Inbox.js"
import { opensTunnel } from "./methods.js"
import { pieceSize } from "./pieces.js"
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

/**
 * A request that is to open a tunnel: an upgrade (RFC 9110 §7.8) or CONNECT (§9.3.6). Until the response head it is a
 * request as any other, and when the response opens no tunnel it stays one. An open tunnel lasts until `close`; what is
 * left of the timeouts is the one for writing.
 */
export class TunnelCall extends Call {
  readonly inbox = new Inbox(this, this.options.maxBufferedBody)
  wasOpened = false
  private side: Side = "Open"
  private failure: Failure.Failure | undefined = undefined
  /** Writers that wait for the transport. */
  private readonly writers = new Waiters(() => this.captureContext())

  get isOpen(): boolean {
    return this.state === "Tunneling"
  }

  /** The scope of the tunnel has ended: the connection is closed (HTTP/1.1), or the stream reset (HTTP/2). */
  close(): void {
    this.fail(Failure.bodyAbandoned({ ...this.details(), reason: "ScopeClosed" }))
  }

  override cancel(): void {
    if (this.isOpen) this.close()
    else super.cancel()
  }

  // ---------------------------------------------------------------------------------------------------------------
  // The exchange
  // ---------------------------------------------------------------------------------------------------------------

  protected override begin(connection: Connection, now: number): void {
    if (connection.protocol !== "h2" || this.prepared.wire.method === "CONNECT") return super.begin(connection, now)
    this.fail(Failure.localProtocolError({
      origin: this.wanted.href,
      reason: "NotSupported",
      detail: "the connection speaks HTTP/2, which knows no Upgrade; use a client with http2: false",
      section: "RFC 9113 §8.6"
    }))
  }

  override onHead(head: ExchangeHead): void {
    if (this.state !== "Sending" || !opensTunnel(this.prepared.wire.method, head.status)) return super.onHead(head)
    if (this.upload?.isRunning === true) return this.fail(earlyUpgrade(this.details()))
    this.state = "Tunneling"
    this.wasOpened = true
    this.opened()
    this.endTotal()
    const body = this.body = new ResponseBody(this, 0)
    body.complete([])
    this.respond(head, body)
    this.watch()
  }

  /** The response is about to be handed to the caller. */
  protected opened(): void {}

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

  protected override fail(failure: Failure.Failure): void {
    if (!this.isOpen) return super.fail(failure)
    this.end(failure)
    this.failure = failure
    this.inbox.fail(failure)
    this.writers.notify()
  }

  protected override get awaited(): Awaited {
    if (!this.isOpen) return super.awaited
    return this.isBlocked ? "Room" : "Nothing"
  }

  /** Whether bytes of ours wait for the transport. */
  private get isBlocked(): boolean {
    return this.side === "Blocked" || this.side === "Ending"
  }

  // ---------------------------------------------------------------------------------------------------------------
  // For the owner of the tunnel
  // ---------------------------------------------------------------------------------------------------------------

  /** Writes all of it, waiting while the transport has no room. The result stops it. */
  write(bytes: Uint8Array, done: (failure: Failure.Failure | undefined) => void): Cancel {
    let rest = bytes
    let cancel: Cancel = () => {}
    const goOn = () => {
      while (rest.length > 0 && this.failure === undefined && this.side === "Open") {
        const piece = rest.subarray(0, pieceSize)
        rest = rest.subarray(pieceSize)
        if (this.exchange?.write(piece) === false) this.become("Blocked")
      }
      if (this.failure !== undefined) done(this.failure)
      else if (this.side === "Blocked") cancel = this.whenSettled(goOn)
      else done(rest.length > 0 ? this.ended() : undefined)
    }
    goOn()
    return () => cancel()
  }

  /** Nothing more is written. Done when all that was has been handed to the transport. */
  finish(done: (failure: Failure.Failure | undefined) => void): Cancel {
    if (this.failure === undefined && (this.side === "Open" || this.side === "Blocked")) {
      this.become("Ending")
      this.exchange?.end()
    }
    return this.whenSettled(() => done(this.failure))
  }

  /** When nothing waits for the transport. */
  private whenSettled(then: () => void): Cancel {
    return this.writers.until(() => this.failure !== undefined || !this.isBlocked, then)
  }

  private become(side: Side): void {
    this.side = side
    this.watch()
    this.writers.notify()
  }

  private ended(): Failure.Failure {
    return Failure.writeError({ ...this.details(), detail: "our side of the tunnel has ended already" })
  }
}
