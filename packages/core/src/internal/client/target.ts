import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import { type Target, targetOf } from "@sluice/engine/call"
import * as Either from "effect/Either"
import type { Routes } from "../../Connector.js"
import { isTransportError, LocalProtocolError, type TransportError } from "../../TransportError.js"
import { unsupportedProtocol } from "../unsupportedProtocol.js"
import type { TotalOf } from "../withTotal.js"
import type { ClientOptions, RedactPath, RouteOf } from "./ClientOptions.js"

/** Where a request goes, and which way. */
export const resolve = (
  request: HttpClientRequest,
  { redactPath, route, targets: cache }: Pick<ClientOptions, "redactPath" | "route" | "targets">
): Target | TransportError => {
  // A fragment is not requested, and one that is set separately from the URL changes nothing.
  if (cache === undefined || request.urlParams.length > 0) return routed(parse(request, redactPath), route)
  const cached = cache.get(request.url)
  if (cached !== undefined) return cached
  const parsed = routed(parse(request, redactPath), route)
  if (!isTransportError(parsed)) cache.set(request.url, parsed)
  return parsed
}

const routed = (target: Target | TransportError, route: RouteOf | undefined): Target | TransportError => {
  if (route === undefined || isTransportError(target)) return target
  const origin = route(target.origin, target.url)
  return isTransportError(origin) ? origin : { ...target, origin }
}

/** Asks for the total of a request's origin. What has no valid URL has none: it fails when it is sent. */
export const totalBy = (timeoutsOf: NonNullable<Routes["timeoutsOf"]>): TotalOf => (request) => {
  const target = parse(request, undefined)
  return isTransportError(target) ? undefined : timeoutsOf(target.origin)?.total
}

/** An IPv6 address with a zone in its brackets, as in `http://[fe80::1%eth0]/`. */
const hasZone = /^https?:\/\/(?:[^/?#@]*@)?\[[\da-f:.]+%[^\]/?#]*\]/i

const zoned = () =>
  new LocalProtocolError({
    origin: "",
    reason: "InvalidUrl",
    detail:
      "its host is an IPv6 address with a zone, which no URL can hold: a zone means something on this machine only. " +
      "Give the URL a name, and the address with its zone by the option lookup",
    section: "RFC 9844"
  })

/** Nothing of what is not valid is shown: a piece of it that looks like a host may be a password. */
const parse = (request: HttpClientRequest, redactPath: RedactPath | undefined): Target | TransportError => {
  const url = UrlParams.makeUrl(request.url, request.urlParams, request.hash)
  if (Either.isLeft(url)) {
    if (hasZone.test(request.url)) return zoned()
    return new LocalProtocolError({
      origin: "",
      reason: "InvalidUrl",
      detail: "its URL is not valid; write all of it, as in http://example.com/"
    })
  }
  return targetOf(url.right, redactPath) ?? unsupportedProtocol(url.right)
}
