/**
 * A proxy that requests go through.
 *
 * @since 0.1.0
 */
import type { TlsOptions } from "./TlsOptions.js"

/**
 * A proxy, with its credentials and how it is trusted. The option `proxy` takes one, or the URL alone.
 *
 * Connections are distinguished by it: a request never goes over one that was made with other credentials. Nothing that it
 * holds is shown in errors, spans or the pool's statistics but scheme, host and port.
 *
 * @example
 * ```ts
 * import { HttpClientLayer } from "@sluice/node4"
 *
 * const layer = HttpClientLayer.layer({
 *   proxy: {
 *     url: "http://proxy.corp.example:3128",
 *     username: "ann",
 *     password: process.env["PROXY_PASSWORD"],
 *     noProxy: ".corp.example, 10.0.0.0/8"
 *   }
 * })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Proxy {
  /**
   * - `http://host:port`: an HTTP proxy.
   * - `https://host:port`: the same over TLS.
   * - `socks5h://host:port`: SOCKS 5; the proxy resolves host names.
   * - `socks5://host:port`: SOCKS 5; host names are resolved here.
   *
   * Without a scheme it is `http:`. Without a port: 80, 443 or 1080. It may hold user and password, percent-encoded. HTTP/2
   * to the proxy, SOCKS 4, PAC, NTLM and Negotiate are not spoken.
   */
  readonly url: string
  /** Who we are to the proxy: Basic (RFC 7617), or RFC 1929 with SOCKS. Default: what the URL says. */
  readonly username?: string | undefined
  /** Default: what the URL says. */
  readonly password?: string | undefined
  /**
   * Header fields for an HTTP proxy, as `proxy-authorization: Bearer …`, which replaces user and password. A
   * function is asked for each tunnel, with the URL of its origin, and for each request that is sent to the proxy itself,
   * with the URL of that. They never reach an origin. Default none.
   */
  readonly headers?: Readonly<Record<string, string>> | ((url: URL) => Readonly<Record<string, string>>) | undefined
  /** TLS to a proxy of `https://`. What is spoken through the tunnel has the layer's `tls`. Default: Node's. */
  readonly tls?: TlsOptions | undefined
  /**
   * Hosts that are reached without it, as `NO_PROXY` lists them: names with all names below them, addresses, ranges as
   * `10.0.0.0/8`, each with or without a port; `*` is all. Default none, not even `localhost`.
   */
  readonly noProxy?: string | ReadonlyArray<string> | undefined
}
