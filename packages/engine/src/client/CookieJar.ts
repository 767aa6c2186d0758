import { parse, type SetCookie } from "./setCookie.js"

/**
 * A cookie as it is kept. Times are in milliseconds since the epoch.
 *
 * @since 0.1.0
 * @category models
 */
export interface Cookie {
  readonly name: string
  readonly value: string
  readonly domain: string
  /** Whether it is for that host alone, and not for those below it. */
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  /** Kept, and not acted on: a client has no page that a request could come from. */
  readonly sameSite: "Strict" | "Lax" | "None" | undefined
  readonly partitioned: boolean
  /** Whether it outlives the jar, in a store. */
  readonly persistent: boolean
  /** At most 400 days after it was set; `Infinity` for a cookie of the session. */
  readonly expires: number
  readonly createdAt: number
  readonly usedAt: number
}

export interface JarLimits {
  readonly maxCookies: number
  readonly maxCookiesPerDomain: number
}

/** Whether a domain is one that anybody may register below, as `com` and `co.uk`. */
export type IsPublicSuffix = (domain: string) => boolean

const longest = 400 * 24 * 60 * 60 * 1000

/**
 * Cookies by the rules of RFC 6265bis §5.7 and §5.8. It knows no clock: `now` is given to each step, in milliseconds since
 * the epoch.
 */
export class CookieJar {
  /** By domain, and there by what else makes them the same cookie: a request asks for its host and what is above it. */
  private readonly domains = new Map<string, Map<string, Kept>>()
  private size = 0
  private kept = 0

  constructor(
    private readonly limits: JarLimits,
    private readonly isPublicSuffix: IsPublicSuffix,
    cookies: Iterable<Cookie>
  ) {
    for (const cookie of cookies) this.set(cookie)
  }

  /** In the order of their creation. */
  get all(): ReadonlyArray<Cookie> {
    return this.everything().sort((a, b) => a.order - b.order).map(({ cookie }) => cookie)
  }

  /** Takes what a response has set; whether anything has changed. */
  store(url: URL, fields: Iterable<string>, now: number): boolean {
    let changed = false
    for (const field of fields) {
      const parsed = parse(field)
      const cookie = parsed === undefined ? undefined : this.accept(url, parsed, now)
      if (cookie === undefined) continue
      changed = true
      if (cookie.expires <= now) this.delete(cookie)
      else {
        this.set(cookie)
        this.evict(cookie.domain, now)
      }
    }
    return changed
  }

  /** The value of the `Cookie` field for a request; undefined when there is nothing to send. */
  header({ hostname, pathname, protocol }: URL, now: number): string | undefined {
    const isSecure = protocol === "https:" || protocol === "wss:"
    const sent: Array<Kept> = []
    for (const domain of domainsOf(hostname)) {
      for (const kept of this.domains.get(domain)?.values() ?? []) {
        const { cookie } = kept
        if (cookie.expires <= now) this.delete(cookie)
        else if (
          (domain === hostname || !cookie.hostOnly) && pathMatches(pathname, cookie.path) &&
          (isSecure || !cookie.secure)
        ) {
          kept.cookie = { ...cookie, usedAt: now }
          sent.push(kept)
        }
      }
    }
    if (sent.length === 0) return undefined
    return sent
      .sort((a, b) =>
        b.cookie.path.length - a.cookie.path.length || a.cookie.createdAt - b.cookie.createdAt || a.order - b.order
      )
      .map(({ cookie: { name, value } }) => name === "" ? value : `${name}=${value}`)
      .join("; ")
  }

  private everything(): Array<Kept> {
    return [...this.domains.values()].flatMap((cookies) => [...cookies.values()])
  }

  private set(cookie: Cookie): void {
    let cookies = this.domains.get(cookie.domain)
    if (cookies === undefined) this.domains.set(cookie.domain, cookies = new Map())
    const old = cookies.get(identity(cookie))
    // It keeps its age, and so its position.
    if (old !== undefined) old.cookie = { ...cookie, createdAt: old.cookie.createdAt }
    else {
      this.size++
      cookies.set(identity(cookie), { cookie, order: this.kept++ })
    }
  }

  private delete(cookie: Cookie): void {
    const cookies = this.domains.get(cookie.domain)
    if (cookies?.delete(identity(cookie)) !== true) return
    this.size--
    if (cookies.size === 0) this.domains.delete(cookie.domain)
  }

  /** The cookie that a field makes for this URL; undefined when a rule forbids it. */
  private accept(url: URL, set: SetCookie, now: number): Cookie | undefined {
    const isSecure = url.protocol === "https:" || url.protocol === "wss:"
    const host = url.hostname
    if (set.secure && !isSecure) return undefined
    // Without Secure, either would promise what it does not keep.
    if ((set.sameSite === "None" || set.partitioned) && !set.secure) return undefined
    const domain = this.domainOf(host, set.domain)
    if (domain === "Forbidden") return undefined
    const hostOnly = domain === undefined
    const path = set.path ?? defaultPath(url.pathname)
    if (!prefixAllows(set, hostOnly)) return undefined
    const cookie: Cookie = {
      name: set.name,
      value: set.value,
      domain: domain ?? host,
      hostOnly,
      path,
      secure: set.secure,
      httpOnly: set.httpOnly,
      sameSite: set.sameSite,
      partitioned: set.partitioned,
      persistent: set.maxAge !== undefined || set.expires !== undefined,
      expires: set.maxAge !== undefined
        ? now + Math.min(set.maxAge, longest)
        : set.expires !== undefined
        ? Math.min(set.expires, now + longest)
        : Infinity,
      createdAt: now,
      usedAt: now
    }
    return !set.secure && !isSecure && this.hidesSecure(cookie, now) ? undefined : cookie
  }

  private domainOf(host: string, domain: string | undefined): string | undefined | "Forbidden" {
    // eslint-disable-next-line no-control-regex
    if (domain !== undefined && /[^\x00-\x7f]/.test(domain)) return "Forbidden"
    if (domain === undefined) return undefined
    if (this.isPublicSuffix(domain)) return domain === host ? undefined : "Forbidden"
    return domainMatches(host, domain) ? domain : "Forbidden"
  }

  /** Who can write to a connection in the clear must not replace what was set over a secure one. */
  private hidesSecure(cookie: Cookie, now: number): boolean {
    for (const [domain, cookies] of this.domains) {
      if (!domainMatches(cookie.domain, domain) && !domainMatches(domain, cookie.domain)) continue
      for (const { cookie: other } of cookies.values()) {
        if (
          other.secure && other.expires > now && other.name === cookie.name && pathMatches(cookie.path, other.path)
        ) return true
      }
    }
    return false
  }

  /** Expired ones go first, then of a domain with too many those not secure, then the least recently used. */
  private evict(domain: string, now: number): void {
    const { maxCookies, maxCookiesPerDomain } = this.limits
    const ofDomain = () => [...(this.domains.get(domain)?.values() ?? [])]
    if ((this.domains.get(domain)?.size ?? 0) > maxCookiesPerDomain) {
      this.expire(ofDomain(), now)
      this.remove(
        ofDomain(),
        maxCookiesPerDomain,
        (a, b) => Number(a.secure) - Number(b.secure) || a.usedAt - b.usedAt
      )
    }
    if (this.size > maxCookies) {
      this.expire(this.everything(), now)
      this.remove(this.everything(), maxCookies, (a, b) => a.usedAt - b.usedAt)
    }
  }

  private expire(all: ReadonlyArray<Kept>, now: number): void {
    for (const { cookie } of all) if (cookie.expires <= now) this.delete(cookie)
  }

  private remove(all: ReadonlyArray<Kept>, most: number, order: (a: Cookie, b: Cookie) => number): void {
    if (all.length <= most) return
    const sorted = [...all].sort((a, b) => order(a.cookie, b.cookie) || a.order - b.order)
    for (const { cookie } of sorted.slice(0, all.length - most)) this.delete(cookie)
  }
}

/** A cookie, and how many had been kept before it. */
interface Kept {
  cookie: Cookie
  readonly order: number
}

/** The host and the domains above it, whose cookies it may get. */
const domainsOf = (host: string): ReadonlyArray<string> => {
  const domains = [host]
  if (isAddress(host)) return domains
  for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) domains.push(host.slice(dot + 1))
  return domains
}

const identity = ({ domain, hostOnly, name, partitioned, path }: Cookie): string =>
  JSON.stringify([name, domain, hostOnly, path, partitioned])

const isAddress = (host: string): boolean => host.startsWith("[") || /^[\d.]+$/.test(host)

const domainMatches = (host: string, domain: string): boolean =>
  host === domain || (host.endsWith(`.${domain}`) && !isAddress(host))

const pathMatches = (path: string, cookiePath: string): boolean =>
  path === cookiePath ||
  (path.startsWith(cookiePath) && (cookiePath.endsWith("/") || path[cookiePath.length] === "/"))

const defaultPath = (path: string): string => {
  const slash = path.lastIndexOf("/")
  return slash <= 0 ? "/" : path.slice(0, slash)
}

/** What a prefix of the name promises (RFC 6265bis §4.1.3); a nameless cookie must not look as if it had one. */
const prefixAllows = (set: SetCookie, hostOnly: boolean): boolean => {
  const name = (set.name === "" ? set.value : set.name).toLowerCase()
  const prefix = ["__host-http-", "__http-", "__host-", "__secure-"].find((prefix) => name.startsWith(prefix))
  if (prefix === undefined) return true
  if (set.name === "" || !set.secure) return false
  if (prefix.includes("http-") && !set.httpOnly) return false
  return !prefix.startsWith("__host-") || (hostOnly && set.domain === undefined && set.path === "/")
}
