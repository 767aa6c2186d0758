import { isPromise, unawaited } from "../unawaited.js"
import type { KnownProxy } from "./ProxySettings.js"

/** The credentials that a proxy gets. What a function of the caller throws, it throws. */
export const proxyHeaders = (
  { credentials, headers }: KnownProxy,
  url: () => URL
): Readonly<Record<string, string>> => {
  const given = typeof headers === "function" ? headers(url()) : headers ?? {}
  unawaited(given)
  if (isPromise(given)) throw new Error("the function headers of the proxy returned a promise: expected the headers")
  const named = Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]))
  return credentials === undefined || named["proxy-authorization"] !== undefined
    ? named
    : { ...named, "proxy-authorization": basic(credentials.username, credentials.password) }
}

/** RFC 7617, with the octets of UTF-8. */
const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`
