import type { Origin, OriginRoute } from "../Origin.js"
import { isSocks, type Proxy } from "./Proxy.js"

/**
 * How a connection goes to its origin:
 *
 * - `Direct`: without a proxy.
 * - `Tunnel`: the proxy opens a way, and knows nothing of what goes through it.
 * - `Forward`: the proxy is sent the request with its whole URL (RFC 9112 §3.2.2), so that one connection serves all
 *   `http:` origins behind it.
 */
export type Way<P extends Proxy> =
  | { readonly _tag: "Direct" }
  | { readonly _tag: "Tunnel"; readonly proxy: P }
  | { readonly _tag: "Forward"; readonly proxy: P }

/** What the router passes on to those who count and time requests. */
export type RouteSettings = Pick<OriginRoute, "limits" | "timeouts">

/** How the connections of an origin are made. `S` is all that the router has no say in. */
export class Route<S extends RouteSettings, P extends Proxy> implements OriginRoute {
  constructor(readonly way: Way<P>, readonly settings: S, readonly limitKey: string) {}

  get isForward(): boolean {
    return this.way._tag === "Forward"
  }
  get limits(): OriginRoute["limits"] {
    return this.settings.limits
  }
  get timeouts(): OriginRoute["timeouts"] {
    return this.settings.timeouts
  }
}

export interface RouterOptions<S extends RouteSettings, P extends Proxy> {
  /** What holds for an origin; the same object for the same settings. */
  readonly settingsOf: (origin: Origin) => S
  /** What holds for most. */
  readonly common: S
  /** The proxy for a URL of an origin; the same object for the same proxy. Undefined: none. */
  readonly proxyOf: (settings: S, origin: Origin, url: object | undefined) => P | undefined
  /** Whether requests to `http:` origins need a tunnel too. */
  readonly needsTunnel: (settings: S) => boolean
}

/**
 * Which way requests go, and which of them share connections. An origin is given a key that distinguishes all that is not
 * interchangeable: the proxy and its credentials, and the settings of the origin. The key shows no secret.
 */
export class Router<S extends RouteSettings, P extends Proxy> {
  private readonly numbers = new WeakMap<object, number>()
  private last = 0

  constructor(private readonly options: RouterOptions<S, P>) {}

  /** What the proxy function of a caller throws is thrown. */
  route(origin: Origin, url: object | undefined, wantsTunnel: boolean): Origin {
    const { common, needsTunnel, proxyOf, settingsOf } = this.options
    const settings = settingsOf(origin)
    const proxy = proxyOf(settings, origin, url)
    const own = settings === common ? "" : ` with options #${this.numberOf(settings)}`
    const of = (way: Way<P>, counted: string) => new Route<S, P>(way, settings, counted + own)
    if (proxy === undefined) {
      return own === "" ? origin : { ...origin, key: origin.key + own, route: of({ _tag: "Direct" }, origin.key) }
    }
    const named = `${proxy.href} #${this.numberOf(proxy)}${own}`
    const isForward = origin.scheme === "http" && !isSocks(proxy.scheme) && !wantsTunnel && !needsTunnel(settings)
    return isForward
      ? { ...origin, key: named, route: of({ _tag: "Forward", proxy }, proxy.href) }
      : { ...origin, key: `${origin.key} via ${named}`, route: of({ _tag: "Tunnel", proxy }, origin.key) }
  }

  private numberOf(value: object): number {
    const known = this.numbers.get(value)
    if (known !== undefined) return known
    this.numbers.set(value, ++this.last)
    return this.last
  }
}
