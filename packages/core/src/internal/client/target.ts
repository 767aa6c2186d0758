import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import { type Target, type TargetCache, targetOf } from "@sluice/engine/call"
import * as Either from "effect/Either"
import { isTransportError, LocalProtocolError, type UnsupportedProtocol } from "../../TransportError.js"
import { unsupportedProtocol } from "../unsupportedProtocol.js"

export type InvalidTarget = LocalProtocolError | UnsupportedProtocol

/** Where a request goes. */
export const resolve = (request: HttpClientRequest, cache: TargetCache | undefined): Target | InvalidTarget => {
  // A fragment is not requested, and one that is set separately from the URL changes nothing.
  if (cache === undefined || request.urlParams.length > 0) return parse(request)
  const cached = cache.get(request.url)
  if (cached !== undefined) return cached
  const parsed = parse(request)
  if (!isTransportError(parsed)) cache.set(request.url, parsed)
  return parsed
}

/** Nothing of what is not valid is shown: a piece of it that looks like a host may be a password. */
const parse = (request: HttpClientRequest): Target | InvalidTarget => {
  const url = UrlParams.makeUrl(request.url, request.urlParams, request.hash)
  if (Either.isLeft(url)) {
    return new LocalProtocolError({
      origin: "",
      reason: "InvalidUrl",
      detail: "its URL is not valid; write all of it, as in http://example.com/"
    })
  }
  return targetOf(url.right) ?? unsupportedProtocol(url.right)
}
