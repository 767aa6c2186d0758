import * as net from "node:net"
import type { ConnectionListener, Protocol } from "../Connection.js"
import type { Reached } from "../DialStage.js"
import type { Failure } from "../Failure.js"
import type { HostTime } from "../Host.js"
import type { ParserLimits, ResponseParserOptions } from "../http1/index.js"
import { BufferedBytes } from "../http2/index.js"
import type { Address } from "../network/index.js"
import type { Http2 } from "../options/index.js"
import type { Origin } from "../Origin.js"
import { type Coalesce, coalesceWith } from "./coalescing.js"
import { connectToAny } from "./connectToAny.js"
import { Dial, type DialEvents } from "./Dial.js"
import { nodeRuntime } from "./DriverRuntime.js"
import * as errors from "./errors.js"
import { Http1Connection } from "./Http1Connection.js"
import { Http2Connection } from "./Http2Connection.js"
import { type Names, namesOf } from "./lookup.js"
import { RememberedOrigins } from "./RememberedOrigins.js"
import type { ReuseAfterNoContent, ReusePolicy } from "./reuse.js"
import * as sockets from "./socket.js"
import { TlsClient } from "./tls.js"
import { tlsError } from "./tlsErrors.js"
import type { TlsSettings } from "./TlsSettings.js"

/** How connections are made. */
export interface DialerSettings extends sockets.Route {
  readonly tls: TlsSettings
  /** Undefined: only HTTP/1.1 is spoken. */
  readonly http2: Http2 | undefined
  readonly reuseAfterNoContent: ReuseAfterNoContent
  readonly limits: ParserLimits
}

/** Dials TCP and TLS, and speaks HTTP/1.1 and HTTP/2. */
export class Dialer {
  /** Which of the open connections carry requests of an origin as well. Undefined: none ever do. */
  readonly coalesce: Coalesce | undefined
  private readonly secure: TlsClient
  private readonly names: Names
  private readonly parser: ResponseParserOptions
  /** Those that have said HTTP_1_1_REQUIRED. */
  private readonly wantHttp1: RememberedOrigins
  /** Those that have sent bytes after a response that has none. */
  private readonly lateByteOrigins: RememberedOrigins
  private readonly bufferedBytes: BufferedBytes

  constructor(
    private readonly settings: DialerSettings,
    private readonly time: Pick<HostTime, "elapsed" | "sleep">
  ) {
    this.parser = { limits: settings.limits, latin1 }
    this.names = namesOf(settings.lookup)
    this.secure = new TlsClient(settings.tls, time)
    this.wantHttp1 = new RememberedOrigins(time.elapsed)
    this.lateByteOrigins = new RememberedOrigins(time.elapsed)
    this.bufferedBytes = new BufferedBytes(settings.http2?.maxBufferedBytes ?? 0)
    this.coalesce = settings.http2?.coalescing === true ? coalesceWith(settings, this.names) : undefined
  }

  /** What a first connection to this origin will speak; `"unknown"` when it is negotiated (ALPN). */
  protocol({ key, scheme }: Origin): Protocol | "unknown" {
    if (scheme === "http") return this.knowsHttp2(key) ? "h2" : "http/1.1"
    return this.speaksHttp2(key) ? "unknown" : "http/1.1"
  }

  /** Starts to make a connection. */
  dial(origin: Origin, listener: ConnectionListener, events: DialEvents): Dial {
    const dial = new Dial(this.time.elapsed())
    listener.onDialing?.(() => dial.stage())
    if (origin.scheme === "https") this.dialTls(dial, origin, listener, events)
    else this.dialTcp(dial, origin, listener, events)
    return dial
  }

  private dialTcp(dial: Dial, origin: Origin, listener: ConnectionListener, events: DialEvents): void {
    this.connect(dial, origin, events, (target) => sockets.open(target, net.connect), (opened) => {
      if (this.knowsHttp2(origin.key)) this.speakHttp2(dial, opened, origin, listener, undefined, events)
      else this.speakHttp1(opened, origin, listener, undefined, events)
    })
  }

  /** @param resumes whether the TLS session of an earlier connection is offered */
  private dialTls(
    dial: Dial,
    origin: Origin,
    listener: ConnectionListener,
    events: DialEvents,
    resumes = true
  ): void {
    const { secure } = this
    const protocols = this.speaksHttp2(origin.key) ? ["h2", "http/1.1"] : ["http/1.1"]
    this.connect(dial, origin, events, (target) => secure.connect(target, origin, protocols, resumes), (opened) => {
      const { socket } = opened
      const reached = this.reached(dial, opened)
      dial.stage = () => ({ _tag: "Handshaking", ...reached })
      // Whatever ends it: silence does so too, when whoever waits has waited long enough.
      dial.onClosing(() => void secure.forget(socket, origin))
      const onFailed = (failure: Failure) => {
        if (!secure.forget(socket, origin)) return events.onFailed(failure)
        dial.drop(socket)
        this.dialTls(dial, origin, listener, events, false)
      }
      secure.secure(dial, opened, origin, {
        onConnected: (opened, tlsTime) => {
          if (opened.socket.alpnProtocol === "h2") {
            this.speakHttp2(dial, opened, origin, listener, tlsTime, { ...events, onFailed })
          } else {
            dial.onClosing(() => {})
            this.speakHttp1(opened, origin, listener, tlsTime, events)
          }
        },
        onFailed
      })
    })
  }

  /** Connects to the first address of the origin that lets it. */
  private connect<S extends net.Socket>(
    dial: Dial,
    origin: Origin,
    events: DialEvents,
    open: (target: net.NetConnectOpts) => sockets.OpenSocket<S>,
    onConnected: (opened: sockets.OpenSocket<S>) => void
  ): void {
    const { host, port } = origin
    const { socketPath } = this.settings
    const connectTo = (addresses: ReadonlyArray<Address>, target: (address: Address) => net.NetConnectOpts) => {
      const attempts = connectToAny(dial, addresses, (address) => open(target(address)), this.time, {
        onConnected,
        onFailed: (attempts) => events.onFailed(errors.notConnectedToAny(origin, attempts)),
        onInvalid: (cause) => events.onFailed(tlsError(origin, cause, "Configuration"))
      })
      dial.stage = () => ({ _tag: "Connecting", addresses: errors.triedAddresses(attempts()) })
    }
    if (socketPath !== undefined) {
      // The path decides; TLS verifies the host all the same.
      return connectTo(
        [{ address: socketPath, family: "unix" }],
        ({ address }) => ({ host, path: address } as net.NetConnectOpts)
      )
    }
    dial.stage = () => ({ _tag: "LookingUp", host })
    this.names(host, (error, addresses) => {
      if (dial.isClosed) return
      if (error !== undefined) events.onFailed(errors.notConnected(origin, error))
      else connectTo(addresses, ({ address }) => ({ host: address, port }))
    })
  }

  /** Which address accepted the connection, and when. */
  private reached({ startedAt }: Dial, { socket }: sockets.OpenSocket): Reached {
    const { remoteAddress, remotePort } = socket
    const address = remoteAddress === undefined ? undefined : authority(remoteAddress, remotePort)
    return { address, connectedAfter: this.time.elapsed() - startedAt }
  }

  private speakHttp1(
    opened: sockets.OpenSocket,
    { key }: Origin,
    listener: ConnectionListener,
    tlsTime: number | undefined,
    { onConnected }: DialEvents
  ): void {
    const connection = new Http1Connection(opened.socket, listener, tlsTime, this.reusePolicy(key))
    opened.readWith(connection)
    onConnected(connection)
  }

  /**
   * The connection is made when the server has said in its SETTINGS how much it takes at once: that costs a cold start
   * what a request would wait for anyway if it had to be sent again.
   */
  private speakHttp2(
    dial: Dial,
    opened: sockets.OpenSocket,
    origin: Origin,
    listener: ConnectionListener,
    tlsTime: number | undefined,
    events: DialEvents
  ): void {
    const { socket } = opened
    const connection = new Http2Connection({
      socket,
      origin,
      listener,
      settings: this.settings.http2 as Http2,
      limits: this.settings.limits,
      time: this.time,
      pooledBytes: this.bufferedBytes,
      tlsTime,
      onHttp1Required: ({ key }: Origin) => this.wantHttp1.add(key),
      onGreeted: (failure?: Failure) => {
        if (dial.isClosed) return
        if (failure === undefined) events.onConnected(connection)
        else events.onFailed(failure)
      }
    })
    const reached = this.reached(dial, opened)
    dial.stage = () => ({ _tag: "Greeting", ...reached })
    dial.onClosing(() => connection.shutdown())
    // What was read before begins it.
    opened.readWith(connection)
  }

  private reusePolicy(key: string): ReusePolicy {
    const { lateByteOrigins } = this
    return {
      runtime: nodeRuntime,
      parser: this.parser,
      reuseAfterNoContent: this.settings.reuseAfterNoContent,
      sendsLateBytes: () => lateByteOrigins.has(key),
      onLateBytes: () => lateByteOrigins.add(key)
    }
  }

  private speaksHttp2(key: string): boolean {
    return this.settings.http2 !== undefined && !this.wantHttp1.has(key)
  }

  private knowsHttp2(key: string): boolean {
    return this.settings.http2?.priorKnowledge === true && this.speaksHttp2(key)
  }
}

/** `127.0.0.1:443`, `[::1]:443`. */
const authority = (address: string, port: number | undefined): string =>
  port === undefined ? address : `${net.isIP(address) === 6 ? `[${address}]` : address}:${port}`

const latin1 = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.prototype.latin1Slice.call(bytes, start, end)
