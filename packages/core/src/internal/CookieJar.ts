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
  /** In the order of their creation, by what makes them the same cookie. */
  private readonly cookies = new Map<string, Cookie>()

  constructor(
    private readonly limits: JarLimits,
    private readonly isPublicSuffix: IsPublicSuffix,
    cookies: Iterable<Cookie>
  ) {
    for (const cookie of cookies) this.cookies.set(identity(cookie), cookie)
  }

  get all(): ReadonlyArray<Cookie> {
    return [...this.cookies.values()]
  }

  /** Takes what a response has set; whether anything has changed. */
  store(url: URL, fields: Iterable<string>, now: number): boolean {
    let changed = false
    for (const field of fields) {
      const parsed = parse(field)
      const cookie = parsed === undefined ? undefined : this.accept(url, parsed, now)
      if (cookie === undefined) continue
      changed = true
      const key = identity(cookie)
      const old = this.cookies.get(key)
      if (cookie.expires <= now) this.cookies.delete(key)
      // It keeps its age, and so its position.
      else this.cookies.set(key, old === undefined ? cookie : { ...cookie, createdAt: old.createdAt })
    }
    if (changed) this.evict(now)
    return changed
  }

  /** The value of the `Cookie` field for a request; undefined when there is nothing to send. */
  header(url: URL, now: number): string | undefined {
    const isSecure = url.protocol === "https:" || url.protocol === "wss:"
    const sent: Array<Cookie> = []
    for (const [key, cookie] of this.cookies) {
      if (cookie.expires <= now) this.cookies.delete(key)
      else if (
        (cookie.hostOnly ? url.hostname === cookie.domain : domainMatches(url.hostname, cookie.domain)) &&
        pathMatches(url.pathname, cookie.path) && (isSecure || !cookie.secure)
      ) {
        sent.push(cookie)
        this.cookies.set(key, { ...cookie, usedAt: now })
      }
    }
    if (sent.length === 0) return undefined
    return sent
      .sort((a, b) => b.path.length - a.path.length || a.createdAt - b.createdAt)
      .map(({ name, value }) => name === "" ? value : `${name}=${value}`)
      .join("; ")
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
    return !set.secure && !isSecure && this.hidesSecure(cookie) ? undefined : cookie
  }

  private domainOf(host: string, domain: string | undefined): string | undefined | "Forbidden" {
    // eslint-disable-next-line no-control-regex
    if (domain !== undefined && /[^\x00-\x7f]/.test(domain)) return "Forbidden"
    if (domain === undefined) return undefined
    if (this.isPublicSuffix(domain)) return domain === host ? undefined : "Forbidden"
    return domainMatches(host, domain) ? domain : "Forbidden"
  }

  /** Who can write to a connection in the clear must not replace what was set over a secure one. */
  private hidesSecure(cookie: Cookie): boolean {
    for (const other of this.cookies.values()) {
      if (
        other.secure && other.name === cookie.name && pathMatches(cookie.path, other.path) &&
        (domainMatches(cookie.domain, other.domain) || domainMatches(other.domain, cookie.domain))
      ) return true
    }
    return false
  }

  /** Expired ones go first, then of a domain with too many those not secure, then the least recently used. */
  private evict(now: number): void {
    for (const [key, cookie] of this.cookies) if (cookie.expires <= now) this.cookies.delete(key)
    const byDomain = new Map<string, Array<Cookie>>()
    for (const cookie of this.cookies.values()) {
      const cookies = byDomain.get(cookie.domain)
      if (cookies === undefined) byDomain.set(cookie.domain, [cookie])
      else cookies.push(cookie)
    }
    for (const cookies of byDomain.values()) {
      this.remove(
        cookies.length - this.limits.maxCookiesPerDomain,
        cookies,
        (a, b) => Number(a.secure) - Number(b.secure) || a.usedAt - b.usedAt
      )
    }
    this.remove(this.cookies.size - this.limits.maxCookies, this.all, (a, b) => a.usedAt - b.usedAt)
  }

  private remove(count: number, cookies: ReadonlyArray<Cookie>, order: (a: Cookie, b: Cookie) => number): void {
    if (count <= 0) return
    for (const cookie of [...cookies].sort(order).slice(0, count)) this.cookies.delete(identity(cookie))
  }
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
