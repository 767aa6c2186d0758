import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Breaking } from "../../Reply.js"
import type { ServerStats } from "../../ServerStats.js"
import { type Accepted, Acceptor } from "../acceptor.js"
import type { Http2Settings } from "../http2/options.js"
import { Ledger } from "../ledger.js"
import { toBytes } from "../reply.js"
import { Signal } from "../signal.js"
import { breakSocket } from "../sockets.js"
import { terminator, type TlsOptions } from "../tls.js"
import { Judge } from "./judge.js"
import { FrameReader, type ReceivedFrame } from "./reader.js"
import type { Frame } from "./write.js"
import * as write from "./write.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Serves TLS, with ALPN `h2` unless its options say otherwise. Default false: clear text. */
  readonly tls?: boolean | TlsOptions | undefined

  /** What the peer announces in its first frame. Default nothing but an empty SETTINGS. */
  readonly settings?: Http2Settings | undefined

  /**
   * What the peer does by itself. `"settings"` sends SETTINGS first and acknowledges those of the client, `"ping"`
   * responds PING, `"windows"` gives back whatever DATA uses up. Default `["settings", "ping"]`.
   */
  readonly automatic?: ReadonlyArray<"settings" | "ping" | "windows"> | undefined

  /** Default 0: any free port. */
  readonly port?: number | undefined
}

/**
 * One connection of a client.
 *
 * @since 0.1.0
 * @category models
 */
export interface Connection {
  /** From 0, in the order in which they were opened. */
  readonly number: number

  /** Sends frames, in one write. */
  readonly send: (...frames: ReadonlyArray<Frame>) => Effect.Effect<void>

  /** Sends bytes that need not be frames. */
  readonly sendBytes: (bytes: string | Uint8Array) => Effect.Effect<void>

  /**
   * Takes the first frame of that kind, and of that stream if one is given, which has not been taken yet, or waits for
   * it. Others stay for later. If the connection ends first, or the client sends what RFC 9113 does
   * not allow, it dies with what that was and a list of what has come. `stats.malformed` has it as well.
   */
  readonly take: <Tag extends ReceivedFrame["_tag"]>(
    tag: Tag,
    streamId?: number
  ) => Effect.Effect<Extract<ReceivedFrame, { readonly _tag: Tag }>>

  /** All frames so far, taken or not. */
  readonly frames: Effect.Effect<ReadonlyArray<ReceivedFrame>>

  /** Ends the connection. Default `"end"`; anything else is a reset. */
  readonly close: (how?: Breaking) => Effect.Effect<void>

  /** Waits until the connection has ended, by whomever. */
  readonly awaitClosed: Effect.Effect<void>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface FramePeer {
  /** Scheme, host and port without a slash at the end. */
  readonly url: string

  readonly host: string

  readonly port: number

  /** The certificate of the authority, as PEM, that signed the peer's own: `ca` for a client. Only with TLS. */
  readonly ca: string | undefined

  /** Takes the first connection that has not been taken yet, or waits for it. TLS handshakes are done by then. */
  readonly accept: Effect.Effect<Connection>

  readonly stats: Effect.Effect<ConnectionStats>

  readonly awaitStats: (predicate: (stats: ConnectionStats) => boolean) => Effect.Effect<ConnectionStats>
}

/**
 * What a peer counts.
 *
 * @since 0.1.0
 * @category models
 */
export type ConnectionStats = Pick<
  ServerStats,
  | "connectionsOpened"
  | "openConnections"
  | "maxOpenConnections"
  | "tlsHandshakes"
  | "tlsResumed"
  | "tlsFailures"
  | "malformed"
>

export const make = (options: Options = {}): Effect.Effect<FramePeer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const tls = options.tls === undefined || options.tls === false
      ? undefined
      : yield* terminator(options.tls === true ? {} : options.tls, ["h2"])
    const ledger = new Ledger(0, 0)
    const changed = new Signal()
    const untaken: Array<PeerConnection> = []
    const acceptor = yield* Effect.acquireRelease(
      Effect.sync(() =>
        new Acceptor(ledger, tls, false, (accepted) => {
          untaken.push(new PeerConnection(accepted, options, ledger))
          changed.notify()
        })
      ),
      (acceptor) => acceptor.closeAll
    )
    const host = "127.0.0.1"
    const address = yield* Effect.orDie(acceptor.listen({ host, port: options.port ?? 0 }))
    const port = typeof address === "string" ? 0 : address.port
    return {
      url: `${tls === undefined ? "http" : "https"}://${host}:${port}`,
      host,
      port,
      ca: tls?.ca,
      accept: changed.until(() => untaken.shift()),
      stats: ledger.settled,
      awaitStats: (predicate) => ledger.awaitStats(predicate)
    }
  })

class PeerConnection implements Connection {
  readonly number: number
  private readonly received: Array<ReceivedFrame> = []
  private readonly untaken: Array<ReceivedFrame> = []
  private readonly changed = new Signal()
  private readonly automatic: ReadonlySet<string>
  private closed = false
  private trouble: string | undefined
  private readonly reader: FrameReader

  constructor(private readonly accepted: Accepted, options: Options, private readonly ledger: Ledger) {
    this.reader = new FrameReader((frame) => this.onFrame(frame), new Judge(options.settings?.maxFrameSize ?? 2 ** 14))
    const { account, socket } = accepted
    this.number = account.number
    this.automatic = new Set(options.automatic ?? ["settings", "ping"])
    socket.on("error", () => {})
    socket.on("data", (bytes: Buffer) => this.onData(bytes))
    socket.on("close", () => {
      this.closed = true
      this.changed.notify()
    })
    if (this.automatic.has("settings")) this.write(write.settings(options.settings))
  }

  send(...frames: ReadonlyArray<Frame>): Effect.Effect<void> {
    return Effect.sync(() => this.write(...frames))
  }

  sendBytes(bytes: string | Uint8Array): Effect.Effect<void> {
    return Effect.sync(() => {
      this.accepted.socket.write(toBytes(bytes))
    })
  }

  take<Tag extends ReceivedFrame["_tag"]>(
    tag: Tag,
    streamId?: number
  ): Effect.Effect<Extract<ReceivedFrame, { readonly _tag: Tag }>> {
    type Wanted = Extract<ReceivedFrame, { readonly _tag: Tag }>
    const isWanted = (frame: ReceivedFrame): frame is Wanted =>
      frame._tag === tag && (streamId === undefined || frame.streamId === streamId)
    return this.changed.until(() => {
      const found = this.untaken.find(isWanted)
      if (found !== undefined) this.untaken.splice(this.untaken.indexOf(found), 1)
      // A throw makes the waiting effect die.
      else if (this.closed || this.trouble !== undefined) throw new Error(this.noSuchFrame(tag, streamId))
      return found
    })
  }

  readonly frames: Effect.Effect<ReadonlyArray<ReceivedFrame>> = Effect.sync(() => [...this.received])

  close(how: Breaking = "end"): Effect.Effect<void> {
    const { socket, tcp } = this.accepted
    return Effect.sync(() => {
      if (how === "end") socket.end()
      else breakSocket(socket, tcp, how)
    })
  }

  readonly awaitClosed: Effect.Effect<void> = this.changed.until(() => this.closed ? true : undefined).pipe(
    Effect.asVoid
  )

  private write(...frames: ReadonlyArray<Frame>): void {
    this.accepted.socket.write(Buffer.concat(frames.map(write.encode)))
  }

  private onData(bytes: Buffer): void {
    if (this.trouble !== undefined) return
    try {
      this.reader.push(bytes)
    } catch (error) {
      this.trouble = error instanceof Error ? error.message : String(error)
      this.ledger.malformedInput(this.trouble)
      this.changed.notify()
    }
  }

  private onFrame(frame: ReceivedFrame): void {
    if (frame._tag === "Settings" && !frame.ack && this.automatic.has("settings")) this.write(write.settingsAck)
    if (frame._tag === "Ping" && !frame.ack && this.automatic.has("ping")) {
      this.write(write.ping(frame.data, { ack: true }))
    }
    if (frame._tag === "Data" && frame.payload.length > 0 && this.automatic.has("windows")) {
      this.write(
        write.windowUpdate(0, frame.payload.length),
        ...(frame.endStream ? [] : [write.windowUpdate(frame.streamId, frame.payload.length)])
      )
    }
    this.received.push(frame)
    this.untaken.push(frame)
    this.changed.notify()
  }

  private noSuchFrame(tag: string, streamId: number | undefined): string {
    const wanted = streamId === undefined ? tag : `${tag} on stream ${streamId}`
    const came = this.received.map((frame) => `${frame._tag} on stream ${frame.streamId}`).join(", ")
    return `no ${wanted} came: ${this.trouble ?? "the connection has ended"}; what came: ${came || "nothing"}`
  }
}
