import * as net from "node:net"
import type { ConnectionListener, Protocol } from "../Connection.js"
import type { Failure } from "../Failure.js"
import type { HostTime } from "../Host.js"
import { defaultParserLimits } from "../http1/index.js"
import type { Http2 } from "../options/index.js"
import type { Origin } from "../Origin.js"
import { type Coalesce, coalesceWith } from "./coalescing.js"
import { Dial, type DialEvents } from "./Dial.js"
import * as errors from "./errors.js"
import { Http1Connection } from "./Http1Connection.js"
import { Http2Connection } from "./Http2Connection.js"
import { LateByteOrigins } from "./LateByteOrigins.js"
import { guardLookup } from "./lookup.js"
import type { ReuseAfterNoContent, ReusePolicy } from "./reuse.js"
import * as sockets from "./socket.js"
import { TlsDialer } from "./tls.js"
import type { TlsSettings } from "./TlsSettings.js"

/** How connections are made. */
export interface DialerSettings extends sockets.Route {
  readonly tls: TlsSettings
  /** Undefined: only HTTP/1.1 is spoken. */
  readonly http2: Http2 | undefined
  readonly reuseAfterNoContent: ReuseAfterNoContent
}

/** Origins that are remembered to want HTTP/1.1. */
const maxRemembered = 1000

/** Dials TCP and TLS, and speaks HTTP/1.1 and HTTP/2. */
export class Dialer {
  /** Which of the open connections carry requests of an origin as well. Undefined: none ever do. */
  readonly coalesce: Coalesce | undefined
  private readonly secure: TlsDialer
  private readonly wantHttp1 = new Set<string>()
  private readonly lateByteOrigins = new LateByteOrigins()

  private readonly settings: DialerSettings

  constructor(given: DialerSettings, private readonly time: Pick<HostTime, "elapsed" | "sleep">) {
    const { lookup } = given
    const settings = this.settings = lookup === undefined ? given : { ...given, lookup: guardLookup(lookup) }
    this.secure = new TlsDialer(settings.tls, settings, time)
    this.coalesce = settings.http2?.coalescing === true ? coalesceWith(settings) : undefined
  }

  /** What a first connection to this origin will speak; `"unknown"` when it is negotiated (ALPN). */
  protocol({ key, scheme }: Origin): Protocol | "unknown" {
    if (scheme === "http") return this.knowsHttp2(key) ? "h2" : "http/1.1"
    return this.speaksHttp2(key) ? "unknown" : "http/1.1"
  }

  /** Starts to make a connection. */
  dial(origin: Origin, listener: ConnectionListener, events: DialEvents): Dial {
    const dial = new Dial()
    if (origin.scheme === "https") this.dialTls(dial, origin, listener, events)
    else this.dialTcp(dial, origin, listener, events)
    return dial
  }

  private dialTcp(dial: Dial, origin: Origin, listener: ConnectionListener, events: DialEvents): void {
    const opened = sockets.open(this.settings, origin, net.connect)
    dial.add(opened.socket)
    sockets.onceConnected(
      opened.socket,
      "connect",
      () => {
        if (dial.isClosed) return
        if (this.knowsHttp2(origin.key)) this.speakHttp2(dial, opened, origin, listener, undefined, events)
        else this.speakHttp1(opened, origin, listener, undefined, events)
      },
      (cause) => {
        if (!dial.isClosed) events.onFailed(errors.notConnected(origin, cause))
      }
    )
  }

  private dialTls(dial: Dial, origin: Origin, listener: ConnectionListener, events: DialEvents): void {
    const protocols = this.speaksHttp2(origin.key) ? ["h2", "http/1.1"] : ["http/1.1"]
    this.secure.dial(dial, origin, protocols, {
      onConnected: (opened, tlsTime) => {
        if (opened.socket.alpnProtocol === "h2") this.speakHttp2(dial, opened, origin, listener, tlsTime, events)
        else this.speakHttp1(opened, origin, listener, tlsTime, events)
      },
      onFailed: events.onFailed
    })
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
      time: this.time,
      tlsTime,
      onHttp1Required: ({ key }: Origin) => this.remember(key),
      onGreeted: (failure?: Failure) => {
        if (dial.isClosed) return
        if (failure === undefined) events.onConnected(connection)
        else events.onFailed(failure)
      }
    })
    dial.onClosing(() => connection.shutdown())
    // What was read before begins it.
    opened.readWith(connection)
  }

  private reusePolicy(key: string): ReusePolicy {
    const { lateByteOrigins } = this
    return {
      parser: parserOptions,
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

  private remember(key: string): void {
    if (this.wantHttp1.size >= maxRemembered) this.wantHttp1.clear()
    this.wantHttp1.add(key)
  }
}

const latin1 = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.prototype.latin1Slice.call(bytes, start, end)

const parserOptions = { limits: defaultParserLimits, latin1 }
