import { percentDecode } from "../percentDecode.js"
import { parseAddress } from "./IpAddress.js"
import { utf8 } from "./utf8.js"

/**
 * How a proxy is spoken to:
 *
 * - `http`, `https`: HTTP, over TLS or not; a tunnel by CONNECT (RFC 9110 §9.3.6), or requests as they are, with their
 *   whole URL (RFC 9112 §3.2.2).
 * - `socks5`, `socks5h`: SOCKS 5 (RFC 1928), names resolved here or by the proxy.
 */
export type ProxyScheme = "http" | "https" | "socks5" | "socks5h"

export interface ProxyCredentials {
  readonly username: string
  readonly password: string
}

/** A proxy. Two of them that are not the same object never share a connection. */
export interface Proxy {
  readonly scheme: ProxyScheme
  readonly host: string
  readonly port: number
  /** What messages show: never credentials. */
  readonly href: string
  readonly credentials: ProxyCredentials | undefined
}

const defaultPorts: Record<ProxyScheme, number> = { http: 80, https: 443, socks5: 1080, socks5h: 1080 }

/** Of other schemes the host is read as it is written, and not in the many spellings of an address. */
const pattern =
  /^([a-z][a-z\d+.-]*):\/\/(?:([^/?#@]*(?:@[^/?#@]*)*)@)?(\[[\da-f:.]+\]|[^/?#@:[\]\s\\]+)(?::(\d*))?\/?$/i

/**
 * Reads the URL of a proxy; or why it is none, without showing anything of it. Without a scheme it is `http:`, as `curl` and
 * others have it.
 */
export const parseProxy = (text: string, toAscii: (host: string) => string): Proxy | { readonly invalid: string } => {
  const [, written, userinfo, bracketed, digits] =
    pattern.exec(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`) ?? []
  if (written === undefined) return { invalid: "the URL of a proxy, as http://proxy.example:3128, without a path" }
  const scheme = written.toLowerCase()
  if (scheme === "socks") return { invalid: "socks5://, or socks5h:// where the proxy is to resolve names" }
  if (!isScheme(scheme)) return { invalid: "a proxy of http://, https://, socks5:// or socks5h://" }
  const host = bracketed.startsWith("[") ? bracketed.slice(1, -1) : toAscii(bracketed)
  if (host === "" || (bracketed.startsWith("[") && parseAddress(host) === undefined)) {
    return { invalid: "the URL of a proxy with a host that is a name or an address" }
  }
  const port = digits === undefined || digits === "" ? defaultPorts[scheme] : Number(digits)
  if (port < 1 || port > 65_535) return { invalid: "the URL of a proxy with a port from 1 to 65535" }
  const credentials = userinfo === undefined ? undefined : credentialsOf(userinfo)
  if (credentials !== undefined && !areSendable(scheme, credentials)) return { invalid: unsendable(scheme) }
  return { scheme, host, port, href: `${scheme}://${authorityOf(host)}:${port}`, credentials }
}

/** Why credentials cannot be given to a proxy; undefined if they can. */
export const checkCredentials = (scheme: ProxyScheme, credentials: ProxyCredentials): string | undefined =>
  areSendable(scheme, credentials) ? undefined : unsendable(scheme)

const unsendable = (scheme: ProxyScheme): string =>
  isSocks(scheme)
    ? "a user and a password of 1 to 255 bytes each (RFC 1929 §2)"
    : "a user without a colon, which would end it (RFC 7617 §2), and neither with a control character"

const areSendable = (scheme: ProxyScheme, { password, username }: ProxyCredentials): boolean =>
  isSocks(scheme)
    ? [username, password].every((text) => text !== "" && utf8(text).length <= 255)
    // eslint-disable-next-line no-control-regex
    : !username.includes(":") && !/[\0-\x1f\x7f]/.test(username + password)

const isScheme = (scheme: string): scheme is ProxyScheme => Object.hasOwn(defaultPorts, scheme)

export const isSocks = (scheme: ProxyScheme): boolean => scheme === "socks5" || scheme === "socks5h"

/** Host as a URL has it. */
export const authorityOf = (host: string): string => host.includes(":") ? `[${host}]` : host

const credentialsOf = (userinfo: string): ProxyCredentials => {
  const end = userinfo.indexOf(":")
  return end < 0
    ? { username: percentDecode(userinfo), password: "" }
    : { username: percentDecode(userinfo.slice(0, end)), password: percentDecode(userinfo.slice(end + 1)) }
}
