import type { OriginLimits } from "./OriginLimits.js"
import type { RequestTimeouts } from "./RequestTimeouts.js"

/**
 * The origin of a request (RFC 6454, RFC 9110 §4.3.1): scheme, host and port. Two requests share a connection only if
 * the `key` of their origins is the same.
 */
export interface Origin {
  /** Scheme, host and port as a URL writes them, without a default port: `https://example.com`, `http://[::1]:8080`. */
  readonly href: string
  readonly scheme: "http" | "https"
  /** The host to connect to; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number
  /** Host and, unless it is the scheme's default, port: the value of the `Host` header. */
  readonly authority: string
  /** What the pool compares: `href`, and whatever else makes a connection not interchangeable. */
  readonly key: string
  /** How it is reached, where that is not the plain way: the business of who makes connections. `key` distinguishes it. */
  readonly route?: OriginRoute | undefined
}

/** What of it others need to know. */
export interface OriginRoute {
  /** A proxy is sent the requests themselves, and so may get credentials with each. */
  readonly isForward: boolean
  /** What `maxConnectionsPerOrigin` counts together: the same for each way to the same server. */
  readonly limitKey: string
  /** Laid over the limits of the pool. */
  readonly limits: Partial<OriginLimits> | undefined
  /** Laid over the timeouts of the client, and themselves under those of a region. */
  readonly timeouts: Partial<RequestTimeouts> | undefined
}

/** The parts of a URL that name its origin; a `URL` is one. */
export interface OriginUrl {
  readonly protocol: string
  readonly host: string
  readonly hostname: string
  readonly port: string
  readonly origin: string
}

/**
 * The origin of a URL, `undefined` for anything but `http:` and `https:`. Hosts compare as URLs do: case does not
 * matter, default ports are left out, IPv6 addresses have one form.
 */
export const fromUrl = (url: OriginUrl): Origin | undefined => {
  const scheme = url.protocol === "http:" ? "http" : url.protocol === "https:" ? "https" : undefined
  if (scheme === undefined) return undefined
  const bracketed = url.hostname.startsWith("[")
  return {
    href: url.origin,
    scheme,
    host: bracketed ? url.hostname.slice(1, -1) : url.hostname,
    port: url.port === "" ? (scheme === "http" ? 80 : 443) : Number(url.port),
    authority: url.host,
    key: url.origin
  }
}

/** As the origin of a request has it; undefined when it is not the URL of one. */
export const hrefOf = (url: string): string | undefined => {
  try {
    return fromUrl(new URL(url))?.href
  } catch {
    return undefined
  }
}

/** Whether it is what `fromUrl` returns, for callers that no compiler has checked. */
export const isOrigin = (given: unknown): given is Origin => {
  const { authority, href, key } = (given ?? {}) as Partial<Origin>
  return [authority, href, key].every((text) => typeof text === "string")
}
