import { fromUrl, type Origin, type OriginUrl } from "../Origin.js"
import { percentDecode } from "../percentDecode.js"

/** What a parsed URL says; a `URL` is one. */
export interface RequestUrl extends OriginUrl {
  readonly pathname: string
  /** With its question mark, or empty. */
  readonly search: string
  readonly username: string
  readonly password: string
}

/**
 * Where a request goes.
 */
export interface Target {
  readonly origin: Origin
  /** Path and query: the request target in origin-form (RFC 9112 §3.2.1). Never a fragment. */
  readonly path: string
  /** Origin and path, for messages: no credentials, no query, and of the path what may be shown. */
  readonly display: string
  /** `user:password` of the URL, which are not sent as part of it (RFC 9110 §4.2.4). */
  readonly credentials: string | undefined
  readonly url: RequestUrl
}

/**
 * Undefined for anything but `http:` and `https:`.
 *
 * @param showPath what messages show of a path
 */
export const targetOf = (url: RequestUrl, showPath?: ((path: string) => string) | undefined): Target | undefined => {
  const origin = fromUrl(url)
  return origin === undefined ? undefined : {
    origin,
    path: url.pathname + url.search,
    display: origin.href + (showPath === undefined ? url.pathname : showPath(url.pathname)),
    credentials: url.username === "" && url.password === ""
      ? undefined
      : `${percentDecode(url.username)}:${percentDecode(url.password)}`,
    url
  }
}

const noPath = /^[a-z][a-z\d+.-]*:\/\/[^/?#\\]*(#|$)/i

/**
 * What is asked for there. OPTIONS of a URL without a path asks for the server as a whole, which is `*` (RFC 9112 §3.2.4).
 */
export const requestTarget = (method: string, url: string, { path }: Target): string =>
  method === "OPTIONS" && path === "/" && noPath.test(url) ? "*" : path

/** `?q=REDACTED&page=REDACTED`: which parameters there were, and nothing of what they said. */
export const redactQuery = (search: string): string =>
  search === "" ? "" : `?${search.slice(1).split("&").map(redactParameter).join("&")}`

/** What has no name, or no value, may be all secret. */
const redactParameter = (parameter: string): string => {
  const end = parameter.indexOf("=")
  if (parameter === "") return ""
  return end < 1 || end === parameter.length - 1 ? "REDACTED" : `${parameter.slice(0, end)}=REDACTED`
}

const maxTargets = 512

/** A longer URL is rarely asked for twice, and a few of them are much memory. */
const maxUrlLength = 512

/**
 * Most programs request few different URLs, and parsing one costs as much as finding it a thousand times. Each client has
 * its own; credentials are not kept.
 */
export class TargetCache {
  private readonly targets = new Map<string, Target>()

  get(url: string): Target | undefined {
    return url.length > maxUrlLength ? undefined : this.targets.get(url)
  }

  set(url: string, target: Target): void {
    if (url.length > maxUrlLength || target.credentials !== undefined) return
    if (this.targets.size >= maxTargets) this.targets.clear()
    this.targets.set(url, target)
  }
}
