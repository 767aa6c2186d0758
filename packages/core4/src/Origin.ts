/**
 * Where a request goes, and what makes connections to it interchangeable.
 *
 * @since 0.1.0
 */
import { Origin as Engine } from "@sluice/engine"
import { unsupportedProtocol } from "@sluice/engine/client"
import * as Result from "effect/Result"
import { argument } from "./InvalidOptions.js"
import { fromFailure, LocalProtocolError, type UnsupportedProtocol } from "./TransportError.js"

/**
 * The origin of a request (RFC 6454, RFC 9110 §4.3.1): scheme, host and port. Two requests share a connection only if
 * the `key` of their origins is the same.
 *
 * - `href`: scheme, host and port as a URL writes them, without a default port: `https://example.com`,
 *   `http://[::1]:8080`.
 * - `host`: the host to connect to; an IPv6 address without brackets.
 * - `authority`: host and, unless it is the scheme's default, port: the value of the `Host` header.
 * - `key`: what the pool compares. It is `href`, and whatever else makes a connection not interchangeable: see
 *   `withRoute`.
 *
 * @since 0.1.0
 * @category models
 */
export type Origin = Engine.Origin

/**
 * The origin of a URL. Hosts compare as URLs do: case does not matter, default ports are left out, IPv6 addresses have
 * one form. Fails with `UnsupportedProtocol` for anything but `http:` and `https:`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromUrl = (url: URL): Result.Result<Origin, UnsupportedProtocol | LocalProtocolError> => {
  if (!isUrl(url)) return Result.fail(invalidUrl("it is no URL object; Origin.make takes text"))
  const origin = Engine.fromUrl(url)
  return origin === undefined
    ? Result.fail(fromFailure(unsupportedProtocol(url)) as UnsupportedProtocol)
    : Result.succeed(origin)
}

/**
 * The origin of a URL given as text.
 *
 * @example
 * ```ts
 * import * as Origin from "@sluice/core4/Origin"
 * import * as Result from "effect/Result"
 *
 * const origin = Result.getOrThrow(Origin.make("HTTPS://Example.com:443/path"))
 * console.log(origin.key) // https://example.com
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (url: string): Result.Result<Origin, UnsupportedProtocol | LocalProtocolError> => {
  try {
    return fromUrl(new URL(url))
  } catch {
    return Result.fail(invalidUrl("it is not a valid URL; write all of it, as in http://example.com/"))
  }
}

const invalidUrl = (detail: string) => new LocalProtocolError({ origin: "", reason: "InvalidUrl", detail })

/** Whatever global its class is of. */
const isUrl = (given: unknown): boolean =>
  typeof given === "object" && given !== null && "href" in given && typeof given.href === "string" &&
  "protocol" in given

/**
 * The same origin reached in another way (a proxy, a server name for TLS, a Unix socket): a connection made one way is
 * never used for the other.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withRoute = (origin: Origin, route: string): Origin => {
  argument("Origin.withRoute: origin", origin, Engine.isOrigin, "an Origin, as Origin.make returns on its right side")
  argument(
    "Origin.withRoute: route",
    route,
    (given) => typeof given === "string" && given !== "",
    "a text that is not empty"
  )
  return { ...origin, key: `${origin.key} via ${route}` }
}
