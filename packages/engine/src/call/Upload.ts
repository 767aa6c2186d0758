import type { Exchange } from "../Connection.js"
import type { Cancel } from "../Host.js"
import { Deadline, type Deadlines } from "../pool/index.js"
import type { BodySink, BodySource, SourceEnd } from "./BodySource.js"
import { pieceSize } from "./pieces.js"

/**
 * - `Expecting`: the server has been asked whether it wants the body (`Expect: 100-continue`, RFC 9110 §10.1.1).
 * - `Running`: chunks are pulled from the source and written.
 * - `Blocked`: the transport has no room; `rest` of a chunk may be left.
 * - `Complete`: all of it has been written.
 * - `Stopped`: the rest is not wanted, or has failed.
 */
export type UploadState = "Expecting" | "Running" | "Blocked" | "Complete" | "Stopped"

/** Whose body it is. */
export interface UploadOwner {
  /** The first chunk was read of it. */
  readonly onTouched: () => void
  /** It waits for the server now, or no longer: who is slow has changed. */
  readonly onUploadState: () => void
  readonly onUploadFailed: (cause: unknown) => void
  /** Runs code of the caller. */
  readonly runInContext: (run: () => void) => void
}

/**
 * Sends a body that comes in chunks, as fast as the connection takes it. It is independent of the response, which can
 * begin while the request is still being sent.
 */
export class Upload implements BodySink {
  state: UploadState = "Running"
  /** Bytes of the body that have been written. */
  written = 0
  private pulled = 0
  private rest: Uint8Array | undefined = undefined
  private stopSource: Cancel | undefined = undefined
  private onReady: (() => void) | undefined = undefined
  private expectation: Deadline<Upload> | undefined = undefined

  constructor(
    private readonly exchange: Exchange,
    private readonly source: BodySource,
    /** The size that was announced, in bytes; `Infinity` when none was. */
    private readonly length: number,
    private readonly time: { readonly deadlines: Deadlines; readonly now: () => number },
    private readonly owner: UploadOwner
  ) {}

  /** Whether something was read of the source. */
  get isTouched(): boolean {
    return this.pulled > 0
  }

  get isBlocked(): boolean {
    return this.state === "Blocked"
  }

  get isRunning(): boolean {
    return this.state !== "Complete" && this.state !== "Stopped"
  }

  /** `expect`: how long to wait for `100 Continue` before sending anyway; undefined when the server was not asked. */
  start(expect: number | undefined): void {
    if (expect === undefined) {
      if (this.exchange.written) return this.runSource()
      // The connection may turn out to be dead before the head is written: what was not pulled can go elsewhere.
      this.state = "Blocked"
      this.onReady = () => this.runSource()
      return
    }
    this.state = "Expecting"
    this.expectation = new Deadline<Upload>(this, proceed)
    this.time.deadlines.set(this.expectation, expect, this.time.now())
  }

  /** The rest is not wanted. */
  stop(): void {
    if (!this.isRunning) return
    this.become("Stopped")
    if (this.stopSource !== undefined) this.owner.runInContext(this.stopSource)
  }

  /**
   * The response begins while the body is on its way. One that is no success says that the rest is not wanted (413); to
   * a server that was asked first, any final response does (RFC 9110 §10.1.1).
   */
  onResponse(status: number): void {
    if (status >= 300 || this.state === "Expecting") this.stop()
  }

  /** The server wants the body, or has not said so in time. */
  onContinue(): void {
    if (this.state !== "Expecting") return
    this.become("Running")
    this.owner.onUploadState()
    this.runSource()
  }

  /** The transport has room again. */
  onDrain(): void {
    if (this.state !== "Blocked") return
    this.state = "Running"
    if (this.rest !== undefined && !this.writePieces(this.rest)) return
    this.owner.onUploadState()
    const ready = this.onReady
    this.onReady = undefined
    if (ready !== undefined) this.owner.runInContext(ready)
  }

  write(bytes: Uint8Array): boolean {
    if (!this.isTouched) this.owner.onTouched()
    this.pulled += bytes.length
    // To stop a source takes its time.
    if (bytes.length === 0 || this.state !== "Running") return true
    if (this.pulled > this.length) {
      this.fail(new WrongLength(`it is longer than the ${this.length} bytes announced`))
      return true
    }
    return this.writePieces(bytes)
  }

  whenReady(ready: () => void): void {
    if (this.state === "Blocked") this.onReady = ready
    else ready()
  }

  private runSource(): void {
    this.owner.runInContext(() => {
      this.stopSource = this.source.run(this, (end) => this.onSourceEnd(end))
    })
    // It was stopped by what it did at once.
    if (this.state === "Stopped") this.stopSource?.()
  }

  /** As much as there is room for; false when there is none left. */
  private writePieces(bytes: Uint8Array): boolean {
    let offset = 0
    let hasRoom = true
    while (hasRoom && offset < bytes.length) {
      const piece = bytes.length <= pieceSize ? bytes : bytes.subarray(offset, offset + pieceSize)
      offset += piece.length
      this.written += piece.length
      hasRoom = this.exchange.write(piece)
    }
    // Writing may have ended it.
    if (this.state !== "Running") return true
    this.rest = offset < bytes.length ? bytes.subarray(offset) : undefined
    if (!hasRoom) {
      this.state = "Blocked"
      this.owner.onUploadState()
    }
    return hasRoom
  }

  private onSourceEnd(end: SourceEnd): void {
    if (!this.isRunning) return
    if (end._tag === "Failed") return this.fail(end.cause)
    if (this.length !== Infinity && this.pulled < this.length) {
      return this.fail(new WrongLength(`it ended after ${this.pulled} of the ${this.length} bytes announced`))
    }
    this.become("Complete")
    this.exchange.end(end.trailers)
    this.owner.onUploadState()
  }

  private fail(cause: unknown): void {
    this.stop()
    this.owner.onUploadFailed(cause)
  }

  private become(state: UploadState): void {
    this.time.deadlines.cancel(this.expectation)
    this.state = state
  }
}

const proceed = (upload: Upload): void => upload.onContinue()

/** A body that is not as long as its content-length says would be read as another message, or wait for ever. */
export class WrongLength extends Error {
  override readonly name = "WrongLength"
}
