import type * as Duration from "effect/Duration"
import type { Socket } from "node:net"
import type { Gate } from "../../Gate.js"
import type { Breaking } from "../../Reply.js"
import { Intake } from "../intake.js"
import type { Account, Ledger } from "../ledger.js"
import { Gone, Lifetime } from "../lifetime.js"
import { toBytes } from "../reply.js"
import { breakOnceWritten, breakSocket } from "../sockets.js"
import type { Managed, Reading } from "../surroundings.js"
import { dial, drip, join } from "../tunnel.js"
import type { Credentials, Read, Request } from "./socksMessages.js"
import * as messages from "./socksMessages.js"

/**
 * Where a tunnel or a request leads.
 *
 * @since 0.1.0
 * @category models
 */
export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * How a SOCKS5 proxy spoils one of its messages: hold, wait, write, and then go on or not. An empty fault spoils nothing.
 *
 * @since 0.1.0
 * @category models
 */
export interface SocksFault {
  /** Holds the message until the gate lets it through. Default none. */
  readonly hold?: Gate | undefined

  /** Real time before the message. Default none. */
  readonly delay?: Duration.DurationInput | undefined

  /** Written in front of the message, in one piece with it. Default none. */
  readonly before?: Uint8Array | string | undefined

  /** Written instead of the message (see {@link socksReply}). Default: the right message. */
  readonly instead?: Uint8Array | string | undefined

  /** Written behind the message, in one piece with it. Default none. */
  readonly after?: Uint8Array | string | undefined

  /** Writes all of that byte by byte, with that much real time between two. Default: at once. */
  readonly drip?: Duration.DurationInput | undefined

  /** What comes then. Default: the proxy goes on, as if it had said the right thing. */
  readonly then?: "end" | "reset" | "silence" | undefined
}

/**
 * Faults by message: the choice of a method, the verdict over user and password, the reply to the request.
 *
 * @since 0.1.0
 * @category models
 */
export interface SocksFaults {
  readonly method?: SocksFault | undefined
  readonly authentication?: SocksFault | undefined
  readonly reply?: SocksFault | undefined
}

/** What a SOCKS connection needs to know of its proxy. */
export interface SocksProxy {
  readonly credentials: Credentials | undefined
  readonly faults: SocksFaults
  readonly resolve: (asked: Address) => Address
  readonly onRequest: (target: NonNullable<Request["target"]>, connection: number, user: string | undefined) => void
}

/** One SOCKS5 connection as the proxy has it. */
export class SocksConnection implements Managed {
  private readonly lifetime = new Lifetime()
  private readonly intake: Intake
  private pending = Buffer.alloc(0)
  private onMore = () => {}
  private sink: ((bytes: Uint8Array) => void) | undefined
  private far: Socket | undefined
  private hasRequested = false

  constructor(
    private readonly socket: Socket,
    private readonly tcp: Socket,
    readonly account: Account,
    private readonly ledger: Ledger,
    reading: Reading,
    private readonly proxy: SocksProxy
  ) {
    this.intake = new Intake(socket)
    socket.on("data", (bytes: Buffer) => this.onData(bytes))
    socket.on("end", () => this.far === undefined ? socket.destroy() : this.far.end())
    socket.on("close", () => this.lifetime.end())
    this.setReading(reading)
    this.negotiate().catch((error: unknown) => {
      if (error instanceof messages.Malformed) ledger.malformedInput(error.message)
      else if (!(error instanceof Gone)) ledger.scriptError(String(error))
      socket.destroy()
    })
  }

  get isIdle(): boolean {
    return !this.hasRequested
  }

  closeGently(): void {
    this.socket.end()
  }

  destroy(how: Breaking): void {
    breakSocket(this.socket, this.tcp, how)
  }

  setReading({ bytesPerSecond, paused }: Reading): void {
    this.intake.hold("server", paused)
    this.intake.setRate(bytesPerSecond)
  }

  writeRaw(bytes: Uint8Array, close?: Breaking): void {
    this.socket.write(bytes)
    if (close !== undefined) breakOnceWritten(this.socket, this.tcp, close)
  }

  private async negotiate(): Promise<void> {
    const { credentials, faults } = this.proxy
    const wanted = credentials === undefined ? messages.Method.none : messages.Method.password
    const chosen = (await this.read(messages.readMethods)).includes(wanted) ? wanted : messages.Method.noneAcceptable
    if (!await this.say(messages.method(chosen), faults.method)) return
    if (chosen === messages.Method.noneAcceptable) return void this.socket.end()
    const given = credentials === undefined ? undefined : await this.read(messages.readCredentials)
    if (given !== undefined) {
      const granted = given.user === credentials?.user && given.password === credentials.password
      if (!await this.say(messages.verdict(granted), faults.authentication)) return
      if (!granted) return void this.socket.end()
    }
    await this.serve(await this.read(messages.readRequest), given?.user)
  }

  private async serve({ command, target }: Request, user: string | undefined): Promise<void> {
    this.hasRequested = true
    const { Code } = messages
    if (target === undefined) return this.refuse(Code.addressTypeNotSupported)
    this.proxy.onRequest(target, this.account.number, user)
    if (command !== 1) return this.refuse(Code.commandNotSupported)
    const far = await dial(this.proxy.resolve(target), this.lifetime)
    if (typeof far === "string") return this.refuse(messages.codeOf(far))
    this.socket.once("close", () => far.destroy())
    if (!await this.say(messages.reply(), this.proxy.faults.reply)) return
    this.far = far
    this.ledger.tunnelOpened()
    this.socket.once("close", () => this.ledger.tunnelClosed())
    this.sink = join(this.socket, far, (held) => this.intake.hold("exchange", held))
    this.onData(Buffer.alloc(0))
  }

  private async refuse(code: number): Promise<void> {
    if (await this.say(messages.reply({ code }), this.proxy.faults.reply)) this.socket.end()
  }

  /** Writes a message, or what the fault makes of it. False when nothing is to follow. */
  private async say(message: Uint8Array, fault: SocksFault = {}): Promise<boolean> {
    if (fault.hold !== undefined) await this.lifetime.pass(fault.hold)
    if (fault.delay !== undefined) await this.lifetime.sleep(fault.delay)
    const bytes = Buffer.concat([fault.before ?? "", fault.instead ?? message, fault.after ?? ""].map(toBytes))
    await drip(bytes, fault.drip, this.lifetime, (bytes) => this.socket.write(bytes))
    if (fault.then === undefined) return true
    if (fault.then !== "silence") breakOnceWritten(this.socket, this.tcp, fault.then)
    return false
  }

  private async read<A>(parse: (bytes: Buffer) => Read<A>): Promise<A> {
    while (true) {
      const read = parse(this.pending)
      if (read !== undefined) {
        this.pending = this.pending.subarray(read.length)
        return read.value
      }
      await this.lifetime.wait((resume) => {
        this.onMore = resume
        return () => {}
      })
    }
  }

  private onData(bytes: Buffer): void {
    const all = Buffer.concat([this.pending, bytes])
    if (this.sink === undefined) {
      this.pending = all
      return this.onMore()
    }
    this.pending = Buffer.alloc(0)
    if (all.length > 0) this.sink(all)
  }
}
