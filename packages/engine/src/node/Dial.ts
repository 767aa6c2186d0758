import type * as net from "node:net"
import type { Connection } from "../Connection.js"
import type { DialStage } from "../DialStage.js"
import type { Failure } from "../Failure.js"
import * as socket from "./socket.js"

/** What becomes of a dial: one of the two, once, and neither after it was closed. */
export interface DialEvents {
  readonly onConnected: (connection: Connection) => void
  readonly onFailed: (failure: Failure) => void
}

const noStage = () => undefined

/** The sockets of one dial, and of the connection that it becomes. */
export class Dial {
  isClosed = false
  /** How far it is, for whom it takes too long. */
  stage: () => DialStage | undefined = noStage
  constructor(
    /** Monotonic, in milliseconds. */
    readonly startedAt: number,
    /** What it is one of several tries of. */
    private readonly whole?: Dial
  ) {}

  /** One of several tries, whose sockets are those of the whole as well. */
  part(): Dial {
    return new Dial(this.startedAt, this)
  }

  /** A try that is not needed any more. */
  giveUp(): void {
    this.stop()
    for (const each of this.sockets) this.whole?.drop(each)
  }

  /** Nothing follows from what happens to it; its sockets are closed by the whole. */
  stop(): void {
    this.isClosed = true
    this.beforeClosing?.()
    this.beforeClosing = undefined
  }

  private readonly sockets = new Set<net.Socket>()
  private beforeClosing: (() => void) | undefined = undefined

  add(socket: net.Socket): void {
    this.sockets.add(socket)
    this.whole?.add(socket)
  }

  /** A socket over another one: closing it closes the other one first, and nobody else may. */
  addOver(socket: net.Socket, under: net.Socket): void {
    this.sockets.delete(under)
    this.sockets.add(socket)
    this.whole?.addOver(socket, under)
  }

  /** A socket that it does not need any more: it still has to be gone before the dial is. */
  drop(unwanted: net.Socket): void {
    if (this.whole === undefined) return socket.close(unwanted, () => this.sockets.delete(unwanted))
    this.sockets.delete(unwanted)
    this.whole.drop(unwanted)
  }

  /** What is to be done while the sockets are still there, instead of what was before. */
  onClosing(run: () => void): void {
    this.beforeClosing = run
  }

  /** It is a connection: what it took to make it is let go of. */
  done(): void {
    this.stage = noStage
    this.beforeClosing = undefined
  }

  /** Stops dialling, or closes the connection. Calls back when the system has closed its sockets. */
  close(onGone: () => void): void {
    this.isClosed = true
    this.beforeClosing?.()
    let left = this.sockets.size
    if (left === 0) return onGone()
    for (const each of this.sockets) socket.close(each, () => --left === 0 && onGone())
  }
}
