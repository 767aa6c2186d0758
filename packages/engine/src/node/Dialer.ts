import * as net from "node:net"
import type * as tls from "node:tls"
import type { Connection, ConnectionListener, Protocol } from "../Connection.js"
import type { Reached } from "../DialStage.js"
import type { ExplainedRoute } from "../Explanation.js"
import type { Failure } from "../Failure.js"
import type { HostTime } from "../Host.js"
import type { ParserLimits, ResponseParserOptions } from "../http1/index.js"
import { BufferedBytes, type SessionOptions } from "../http2/index.js"
import { Route, Router } from "../network/index.js"
import type { Http2 } from "../options/index.js"
import type { Origin } from "../Origin.js"
import type { RequestTimeouts } from "../RequestTimeouts.js"
import { Alarm } from "./Alarm.js"
import { type Coalesce, coalesceWith } from "./coalescing.js"
import { connectHost } from "./connectHost.js"
import { Dial, type DialEvents } from "./Dial.js"
import { nodeRuntime } from "./DriverRuntime.js"
import * as errors from "./errors.js"
import { explainRoute } from "./explainRoute.js"
import { ForwardConnection } from "./ForwardConnection.js"
import { Http1Connection } from "./Http1Connection.js"
import { Http2Connection, sessionOptions } from "./Http2Connection.js"
import { OriginNetwork, type OriginSettings } from "./OriginNetwork.js"
import { OriginsFault, type SettingsByOrigin } from "./originSettings.js"
import { noProxyFor, ProxyDialer, proxyError } from "./ProxyDialer.js"
import type { KnownProxy } from "./ProxySettings.js"
import { RememberedOrigins } from "./RememberedOrigins.js"
import type { ReuseAfterNoContent, ReusePolicy } from "./reuse.js"
import * as sockets from "./socket.js"
import { tlsError } from "./tlsErrors.js"

/** How connections are made. */
export interface DialerSettings extends OriginSettings {
  /** Undefined: only HTTP/1.1 is spoken. */
  readonly http2: Http2 | undefined
  readonly reuseAfterNoContent: ReuseAfterNoContent
  readonly parserLimits: ParserLimits
  /** Origins that have settings of their own. Undefined: none. */
  readonly byOrigin: SettingsByOrigin | undefined
}

/** Which way the requests of a URL go. */
export interface Routes {
  /**
   * The origin with what distinguishes its connections from those of others; or why there is no way. `wantsTunnel`: the
   * request is to become a tunnel itself.
   */
  readonly route: (origin: Origin, url: object | undefined, wantsTunnel: boolean) => Origin | Failure
  /** Whether it may say another thing for the same URL later. */
  readonly varies: boolean
  /** The timeouts that an origin has of its own; undefined where `total` is the same for all. */
  readonly timeoutsOf: ((origin: Origin) => Partial<RequestTimeouts> | undefined) | undefined
}

/** Dials TCP and TLS, and speaks HTTP/1.1 and HTTP/2. */
export class Dialer {
  /** Which of the open connections carry requests of an origin as well. Undefined: none ever do. */
  readonly coalesce: Coalesce | undefined
  private readonly parser: ResponseParserOptions
  /** Those that have said HTTP_1_1_REQUIRED. */
  private readonly wantHttp1: RememberedOrigins
  /** Those that have sent bytes after a response that has none. */
  private readonly lateByteOrigins: RememberedOrigins
  /** Of all connections that speak HTTP/2. */
  private readonly session: SessionOptions
  private readonly onHttp1Required = ({ key }: Origin): void => this.wantHttp1.add(key)
  /** Undefined: all go the plain way. */
  readonly routes: Routes | undefined
  /** For origins that have nothing of their own. */
  readonly common: OriginNetwork
  private readonly direct: Route<OriginNetwork, KnownProxy>
  private readonly proxies: ProxyDialer

  constructor(
    private readonly settings: DialerSettings,
    private readonly time: Pick<HostTime, "elapsed" | "sleep">
  ) {
    this.parser = { limits: settings.parserLimits, latin1 }
    this.wantHttp1 = new RememberedOrigins(time.elapsed)
    this.lateByteOrigins = new RememberedOrigins(time.elapsed)
    const pooledBytes = new BufferedBytes(settings.http2?.maxBufferedBytes ?? 0)
    this.session = sessionOptions(settings.http2 ?? {}, settings.parserLimits, pooledBytes)
    this.common = new OriginNetwork(settings, time)
    this.direct = new Route<OriginNetwork, KnownProxy>({ _tag: "Direct" }, this.common, "")
    this.proxies = new ProxyDialer(time)
    this.routes = settings.proxies === undefined && settings.byOrigin === undefined ? undefined : this.makeRoutes()
    // A connection was judged for the origin that it was made for.
    this.coalesce = settings.http2?.coalescing === true && settings.policy === undefined
      ? coalesceWith(settings, this.common.names)
      : undefined
  }

  private makeRoutes(): Routes {
    const { common, settings, time } = this
    const networks = new WeakMap<OriginSettings, OriginNetwork>()
    const networkOf = (own: OriginSettings | undefined): OriginNetwork => {
      if (own === undefined) return common
      let network = networks.get(own)
      if (network === undefined) networks.set(own, network = new OriginNetwork(own, time))
      return network
    }
    const router = new Router<OriginNetwork, KnownProxy>({
      settingsOf: (origin) => networkOf(settings.byOrigin?.of(origin)),
      common,
      // A Unix socket is on this machine.
      proxyOf: ({ settings: { proxies, socketPath } }, origin, url) =>
        socketPath === undefined ? proxies?.proxyOf(origin, url) : undefined,
      // Where an address has to be judged, the proxy is told that and no name: a tunnel to it.
      needsTunnel: ({ settings: { policy } }) =>
        settings.http2?.priorKnowledge === true || policy?.throughProxy === "resolve-here"
    })
    const route: Routes["route"] = (origin, url, wantsTunnel) => {
      try {
        const routed = router.route(origin, url, wantsTunnel)
        return this.notAllowedThrough(routed) ?? routed
      } catch (cause) {
        return cause instanceof OriginsFault ? errors.noOptionsFor(origin, cause) : noProxyFor(origin, cause)
      }
    }
    const { byOrigin } = settings
    const timeoutsOf: Routes["timeoutsOf"] = (origin) => {
      try {
        return byOrigin?.of(origin)?.timeouts
      } catch {
        // It fails the request when it is sent.
        return undefined
      }
    }
    return {
      route,
      varies: settings.proxies?.varies === true || byOrigin?.varies === true,
      timeoutsOf: byOrigin?.hasTotals === true ? timeoutsOf : undefined
    }
  }

  /** A proxy resolves names by itself. What can be judged is what the URL says. */
  private notAllowedThrough(origin: Origin): Failure | undefined {
    const { settings: { settings: { policy } }, way } = this.routeOf(origin)
    // Addresses that are looked up here are judged when they are there.
    if (policy === undefined || way._tag === "Direct" || policy.throughProxy === "resolve-here") return undefined
    const { host, port } = origin
    const family = net.isIP(host) as 0 | 4 | 6
    const reason = policy.judge({ host, port, address: family === 0 ? undefined : host, family: family || undefined })
    return reason === undefined ? undefined : errors.notAllowed(origin, undefined, reason)
  }

  /** How requests to this origin would get there. No look-up may take longer than the timeout, in milliseconds. */
  explain(origin: Origin, timeout: number, then: (route: ExplainedRoute) => void): void {
    const { settings, way } = this.routeOf(origin)
    explainRoute(origin, way, settings, this.protocol(origin), this.time, timeout, then)
  }

  /** What a first connection to this origin will speak; `"unknown"` when it is negotiated (ALPN). */
  protocol({ key, route, scheme }: Origin): Protocol | "unknown" {
    if (route instanceof Route && route.way._tag === "Forward") return "http/1.1"
    if (scheme === "http") return this.knowsHttp2(key) ? "h2" : "http/1.1"
    return this.speaksHttp2(key) ? "unknown" : "http/1.1"
  }

  /** Starts to make a connection. */
  dial(origin: Origin, listener: ConnectionListener, events: DialEvents): Dial {
    const dial = new Dial(this.time.elapsed())
    listener.onDialing?.(() => dial.stage())
    const { settings: network, way } = this.routeOf(origin)
    const speakPlain = (opened: sockets.OpenSocket) => {
      if (this.knowsHttp2(origin.key)) this.speakHttp2(dial, opened, origin, listener, undefined, events)
      else this.speakHttp1(dial, opened, origin, listener, undefined, events)
    }
    if (way._tag === "Forward") this.forward(dial, way.proxy, network, origin, listener, events)
    else if (origin.scheme === "https") this.dialTls(dial, origin, listener, events)
    else if (way._tag === "Tunnel") {
      const { onFailed } = events
      this.proxies.tunnel(dial, way.proxy, origin, network, { onOpened: speakPlain, onFailed })
    } else {
      this.connect(dial, network, origin, events, (target) => sockets.open(target, net.connect), speakPlain)
    }
    return dial
  }

  private routeOf({ route }: Origin): Route<OriginNetwork, KnownProxy> {
    return route instanceof Route ? route as Route<OriginNetwork, KnownProxy> : this.direct
  }

  private forward(
    dial: Dial,
    proxy: KnownProxy,
    network: OriginNetwork,
    origin: Origin,
    listener: ConnectionListener,
    { onConnected, onFailed }: DialEvents
  ): void {
    this.proxies.connect(dial, proxy, origin, network, {
      onFailed,
      onOpened: (opened) => {
        dial.done()
        const connection = new Http1Connection(opened.socket, listener, undefined, this.reusePolicy(origin.key))
        opened.readWith(connection)
        onConnected(new ForwardConnection(connection, proxy))
      }
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
    const { settings: network, way } = this.routeOf(origin)
    const protocols = this.speaksHttp2(origin.key) ? ["h2", "http/1.1"] : ["http/1.1"]
    const secure = (opened: sockets.OpenSocket<tls.TLSSocket>, fail: DialEvents["onFailed"]) => {
      const { socket } = opened
      const reached = this.reached(dial, opened, origin)
      dial.stage = () => ({ _tag: "Handshaking", ...reached })
      let isOver = false
      // Silence may be due to the session too. Then whoever waits has as long again for the dial without it.
      const silence = new Alarm(this.time, () => end())
      const end = (failure?: Failure) => {
        if (isOver || dial.isClosed) return
        isOver = true
        silence.cancel()
        if (network.tls.forget(socket, origin)) {
          dial.drop(socket)
          this.dialTls(dial, origin, listener, events, false)
        } else if (failure !== undefined) fail(failure)
      }
      const onClosing = () => {
        silence.cancel()
        network.tls.forget(socket, origin)
      }
      const onConnected = (connection: Connection) => {
        isOver = true
        silence.cancel()
        network.tls.resumed(socket)
        events.onConnected(connection)
      }
      dial.onClosing(onClosing)
      if (network.tls.isResuming(socket)) silence.set(resumptionTime(listener, this.time.elapsed() - dial.startedAt))
      network.tls.secure(dial, opened, origin, {
        onConnected: (opened, tlsTime) => {
          const then = { onConnected, onFailed: end }
          if (opened.socket.alpnProtocol === "h2") {
            this.speakHttp2(dial, opened, origin, listener, tlsTime, then, onClosing)
          } else {
            this.speakHttp1(dial, opened, origin, listener, tlsTime, then)
          }
        },
        onFailed: end
      })
    }
    if (way._tag !== "Tunnel") {
      const open = (target: net.NetConnectOpts) => network.tls.connect(target, origin, protocols, resumes)
      return this.connect(dial, network, origin, events, open, (opened) => secure(opened, events.onFailed))
    }
    this.proxies.tunnel(dial, way.proxy, origin, network, {
      onFailed: events.onFailed,
      onOpened: ({ socket }) => {
        let opened: sockets.OpenSocket<tls.TLSSocket>
        try {
          opened = network.tls.over(socket, origin, protocols, resumes)
        } catch (cause) {
          return events.onFailed(tlsError(origin, cause as Error, "Configuration"))
        }
        dial.addOver(opened.socket, socket)
        secure(opened, (failure) => events.onFailed(throughTunnel(origin, way.proxy, failure)))
      }
    })
  }

  /** Connects to the first address of the origin that lets it. */
  private connect<S extends net.Socket>(
    dial: Dial,
    { names, settings: { localAddress, policy, socketPath, tcp } }: OriginNetwork,
    origin: Origin,
    { onFailed }: DialEvents,
    open: (target: net.NetConnectOpts) => sockets.OpenSocket<S>,
    onConnected: (opened: sockets.OpenSocket<S>) => void
  ): void {
    const { host, port } = origin
    connectHost(dial, { host, port, names, socketPath, localAddress, tcp, judge: policy?.judge }, open, this.time, {
      onConnected,
      onUnknown: (cause) => onFailed(errors.notConnected(origin, cause)),
      onNotAllowed: (address, reason) => onFailed(errors.notAllowed(origin, address, reason)),
      onFailed: (attempts) => onFailed(errors.notConnectedToAny(origin, attempts)),
      onInvalid: (cause) =>
        onFailed(
          origin.scheme === "https" ? tlsError(origin, cause, "Configuration") : errors.notConnected(origin, cause)
        )
    })
  }

  private speakHttp1(
    dial: Dial,
    opened: sockets.OpenSocket,
    { key }: Origin,
    listener: ConnectionListener,
    tlsTime: number | undefined,
    { onConnected }: DialEvents
  ): void {
    dial.done()
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
    events: DialEvents,
    onClosing?: () => void
  ): void {
    const { socket } = opened
    const connection = new Http2Connection({
      socket,
      origin,
      listener,
      session: this.session,
      time: this.time,
      runtime: nodeRuntime,
      tlsTime,
      onHttp1Required: this.onHttp1Required,
      onPrefaceReceived: (failure?: Failure) => {
        if (dial.isClosed) return
        if (failure !== undefined) return events.onFailed(failure)
        dial.done()
        dial.onClosing(shutdownOf(connection))
        events.onConnected(connection)
      }
    })
    const reached = this.reached(dial, opened, origin)
    dial.stage = () => ({ _tag: "Preface", ...reached })
    dial.onClosing(() => {
      onClosing?.()
      connection.shutdown()
    })
    // What was read before begins it.
    opened.readWith(connection)
  }

  /** What is known of the way to an origin, once it stands. Of a tunnel no address is: the socket's is the proxy's. */
  private reached(dial: Dial, opened: sockets.OpenSocket, origin: Origin): Reached {
    const reached = sockets.reachedBy(dial, opened, this.time)
    const { way } = this.routeOf(origin)
    return way._tag === "Tunnel" ? { ...reached, address: undefined, tunnel: way.proxy.href } : reached
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

/** Nothing else that was known where it was made is kept as long as the connection. */
const shutdownOf = (connection: Http2Connection) => () => connection.shutdown()

/** The longest that a handshake with a session may be silent, in milliseconds. */
const maxResumptionTime = 10_000

/** How long a handshake with a session may take before it is tried without: half of what is left of the dial's time. */
const resumptionTime = ({ patience = Infinity }: ConnectionListener, used: number): number =>
  Math.min(Math.max(patience - used, 0) / 2, maxResumptionTime)

/** A tunnel that ends before anything has come through it is the proxy's failure; what TLS says is the origin's. */
const throughTunnel = (origin: Origin, proxy: KnownProxy, failure: Failure): Failure =>
  failure._tag === "ConnectError"
    ? proxyError(origin, proxy, {
      reason: "Ended",
      detail: `it closed the tunnel before the TLS handshake was complete: ${failure.detail}`
    }, failure)
    : failure

const latin1 = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.prototype.latin1Slice.call(bytes, start, end)
