import type { ProtocolError } from "./ProtocolError.js"
import { protocolError, quoteText } from "./ProtocolError.js"

/** What a request target is made of; a `URL` is one. Neither user information nor fragment are: they stay at home. */
export interface TargetUrl {
  readonly protocol: string
  readonly host: string
  readonly hostname: string
  readonly port: string
  readonly pathname: string
  readonly search: string
}

/** `/path?query`, for the server itself (RFC 9112 §3.2.1). */
export const originForm = (url: TargetUrl): string => (url.pathname === "" ? "/" : url.pathname) + url.search

/** `http://host/path?query`, for a proxy (RFC 9112 §3.2.2). */
export const absoluteForm = (url: TargetUrl): string => `${url.protocol}//${url.host}${originForm(url)}`

/** `host:port`, for CONNECT; the port is always written (RFC 9112 §3.2.3). */
export const authorityForm = (url: TargetUrl): string => {
  const port = url.port !== "" ? url.port : url.protocol === "https:" || url.protocol === "wss:" ? "443" : "80"
  return `${url.hostname}:${port}`
}

/** `*`, for an OPTIONS that means the server as a whole (RFC 9112 §3.2.4). */
export const asteriskForm = "*"

// uri-host of RFC 3986 §3.2.2, which is what Host and authority-form are made of: an IP literal or a name.
const host = "(?:\\[[0-9A-Fa-f:.]+\\]|[\\w\\-.~%!$&'()*+,;=]+)"
const hostAndOptionalPort = new RegExp(`^${host}(?::\\d{0,5})?$`)
const hostAndPort = new RegExp(`^${host}:\\d{1,5}$`)
/** Printable ASCII without space and without `#`, which would be a fragment. */
const printable = /^[!"$-~]+$/
/** A scheme and an authority without user information. */
const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?@]+(?:[/?]|$)/

/** Whether the target is of a form that the method allows, with nothing in it that could end the request line. */
export const checkTarget = (method: string, target: string): ProtocolError | undefined => {
  if (!printable.test(target)) {
    return invalid(
      `The target ${quoteText(target)} is empty or holds a space, a control, a fragment or non-ASCII`,
      "3.2"
    )
  }
  if (method === "CONNECT") {
    return hostAndPort.test(target) ? undefined : invalid(`CONNECT to ${quoteText(target)}, not host:port`, "3.2.3")
  }
  if (target.charCodeAt(0) === 0x2f) return undefined
  if (target === asteriskForm) {
    return method === "OPTIONS" ? undefined : invalid(`The target * is for OPTIONS, not for ${method}`, "3.2.4")
  }
  return absolute.test(target)
    ? undefined
    : invalid(`The target ${quoteText(target)} is neither a path nor a URL without user information`, "3.2")
}

export const isHost = (value: string): boolean => hostAndOptionalPort.test(value)

const invalid = (message: string, section: string): ProtocolError =>
  protocolError("InvalidTarget", message, `RFC 9112 §${section}`)
