import * as net from "node:net"
import * as Failure from "../Failure.js"
import type { HostTime } from "../Host.js"
import {
  type Address,
  authorityOf,
  ConnectHandshake,
  type Handshake,
  isSocks,
  type ProxyFailure,
  Socks5Handshake
} from "../network/index.js"
import type { Origin } from "../Origin.js"
import { connectHost, notAllowed } from "./connectHost.js"
import type { Dial } from "./Dial.js"
import * as errors from "./errors.js"
import type { OriginNetwork } from "./OriginNetwork.js"
import { proxyHeaders } from "./proxyHeaders.js"
import type { KnownProxy } from "./ProxySettings.js"
import { runHandshake } from "./runHandshake.js"
import { open, type OpenSocket, reachedBy } from "./socket.js"
import { TlsClient } from "./tls.js"
import { type TunnelEvents, tunnelToAny } from "./tunnelToAny.js"

export interface ProxyEvents {
  readonly onOpened: (opened: OpenSocket) => void
  readonly onFailed: (failure: Failure.Failure) => void
}

/** Connects to proxies, and has them open tunnels. */
export class ProxyDialer {
  private readonly secure = new WeakMap<KnownProxy, TlsClient>()

  constructor(private readonly time: Pick<HostTime, "elapsed" | "sleep">) {}

  /** A connection to the proxy itself. */
  connect(
    dial: Dial,
    proxy: KnownProxy,
    origin: Origin,
    { names, settings }: OriginNetwork,
    events: ProxyEvents
  ): void {
    const { host, href, port } = proxy
    const fail = (facts: ProxyFailure, cause?: unknown) => events.onFailed(proxyError(origin, proxy, facts, cause))
    const to = { host, port, names, proxy: href, tcp: settings.tcp }
    const unreachable = (failure: Failure.ConnectError) =>
      fail({ reason: "Unreachable", detail: `it could not be connected to: ${failure.detail}` }, failure)
    const own = ownOrigin(proxy)
    const common = {
      onUnknown: (cause: Error) => unreachable(errors.notConnected(own, cause)),
      onFailed: (attempts: Parameters<typeof errors.notConnectedToAny>[1]) =>
        unreachable(errors.notConnectedToAny(own, attempts)),
      // Whoever names a proxy wants it to be reached.
      onNotAllowed: () => {},
      onInvalid: (cause: Error) => fail({ reason: "Configuration", detail: cause.message }, cause)
    }
    if (proxy.scheme !== "https") {
      return connectHost(dial, to, (target) => open(target, net.connect), this.time, {
        ...common,
        onConnected: events.onOpened
      })
    }
    const secure = this.tlsOf(proxy)
    connectHost(dial, to, (target) => secure.connect(target, own, ["http/1.1"], false), this.time, {
      ...common,
      onConnected: (opened) => {
        const reached = reachedBy(dial, opened, this.time)
        dial.stage = () => ({ _tag: "Handshaking", proxy: href, ...reached })
        secure.secure(dial, opened, own, {
          onConnected: events.onOpened,
          onFailed: (failure) => {
            const detail = "detail" in failure ? failure.detail : "the handshake failed"
            fail({ reason: "Tls", detail: `no TLS connection to it: ${detail}` }, failure)
          }
        })
      }
    })
  }

  /** A way through the proxy to the origin: by its name, or to one of its addresses where these are looked up here. */
  tunnel(dial: Dial, proxy: KnownProxy, origin: Origin, network: OriginNetwork, events: ProxyEvents): void {
    const { names, settings: { policy } } = network
    const { host, port } = origin
    const mustJudge = policy?.throughProxy === "resolve-here"
    if (proxy.scheme !== "socks5" && !mustJudge) {
      return this.tunnelTo(dial, proxy, origin, network, { host, port }, () => {}, {
        ...events,
        onRefused: (failure, cause) => events.onFailed(proxyError(origin, proxy, failure, cause))
      })
    }
    dial.stage = () => ({ _tag: "LookingUp", host })
    names(host, port, (error, addresses) => {
      if (dial.isClosed) return
      if (error !== undefined) {
        // The proxy has no part in it: it may go better the next time, as it may without one.
        const failure = errors.notConnected(origin, error)
        const why = mustJudge
          ? "looked up here, as the address policy wants it"
          : "looked up here, as socks5:// wants it; socks5h:// leaves that to the proxy"
        return events.onFailed({ ...failure, detail: `${failure.detail} (${why})` })
      }
      const refused = notAllowed(policy?.judge, host, port, addresses)
      if (refused !== undefined) return events.onFailed(errors.notAllowed(origin, refused.address, refused.reason))
      const open = (part: Dial, address: Address, onAsked: () => void, each: TunnelEvents) =>
        this.tunnelTo(
          part,
          proxy,
          origin,
          network,
          { host: address.address, port: address.port ?? port },
          onAsked,
          each
        )
      tunnelToAny(dial, addresses, open, this.time, {
        ...events,
        onRefused: (failure, cause) => events.onFailed(proxyError(origin, proxy, failure, cause))
      })
    })
  }

  /** Connects to the proxy and asks it for one tunnel. */
  private tunnelTo(
    dial: Dial,
    proxy: KnownProxy,
    origin: Origin,
    network: OriginNetwork,
    to: { readonly host: string; readonly port: number },
    onAsked: () => void,
    { onFailed, onOpened, onRefused }: TunnelEvents
  ): void {
    this.connect(dial, proxy, origin, network, {
      onFailed,
      onOpened: (opened) => {
        const reached = reachedBy(dial, opened, this.time)
        let handshake: Handshake
        try {
          handshake = handshakeOf(proxy, origin, to)
        } catch (cause) {
          return onRefused({ reason: "Configuration", detail: "the function proxy.headers threw" }, cause as Error)
        }
        dial.stage = () => ({ _tag: "Tunnelling", proxy: proxy.href, ...reached })
        onAsked()
        runHandshake(dial, opened, handshake, this.time, () => onOpened(opened), onRefused)
      }
    })
  }

  private tlsOf(proxy: KnownProxy): TlsClient {
    let secure = this.secure.get(proxy)
    if (secure === undefined) this.secure.set(proxy, secure = new TlsClient(proxy.tls, this.time))
    return secure
  }
}

/** What the caller's function throws is thrown. */
const handshakeOf = (
  proxy: KnownProxy,
  { href }: Origin,
  { host, port }: { readonly host: string; readonly port: number }
): Handshake =>
  isSocks(proxy.scheme)
    ? new Socks5Handshake(host, port, proxy.credentials)
    : new ConnectHandshake(`${authorityOf(host)}:${port}`, proxyHeaders(proxy, () => new URL(href)), decoding)

/** It would be the same again: it is the caller's to mend. */
const ours: ReadonlyArray<ProxyFailure["reason"]> = ["Authentication", "Configuration"]

export const proxyError = (origin: Origin, { href }: KnownProxy, facts: ProxyFailure, cause?: unknown) =>
  Failure.proxyError({
    origin: origin.href,
    proxy: href,
    phase: "connect",
    written: false,
    safeToRetry: !ours.includes(facts.reason),
    ...facts,
    ...(cause === undefined ? {} : { cause })
  })

/** The caller's function `proxy` does not say which proxy: none has a name. */
export const noProxyFor = (origin: Origin, cause: unknown) =>
  Failure.proxyError({
    origin: origin.href,
    proxy: "",
    reason: "Configuration",
    phase: "connect",
    written: false,
    safeToRetry: false,
    detail: cause instanceof Error ? cause.message : "the function proxy threw",
    cause
  })

/** A proxy as what TLS is spoken to. */
const ownOrigin = ({ host, href, port }: KnownProxy): Origin => ({
  href,
  scheme: "https",
  host,
  port,
  authority: `${authorityOf(host)}:${port}`,
  key: href
})

const decoding = {
  latin1: (bytes: Uint8Array, start: number, end: number): string =>
    Buffer.prototype.latin1Slice.call(bytes, start, end),
  utf8: (bytes: Uint8Array): string => Buffer.from(bytes).toString()
}
