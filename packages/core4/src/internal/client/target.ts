import { type Target, targetOf } from "@sluice/engine/call"
import { invalidUrl, unsupportedProtocol } from "@sluice/engine/client"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as Url from "effect/http/Url"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Routes } from "../../Connector.js"
import { fromFailure, isTransportError, type TransportError } from "../../TransportError.js"
import type { TotalOf } from "../withTotal.js"
import type { ClientOptions, RedactPath, RouteOf } from "./ClientOptions.js"

/** Where a request goes, and which way. */
export const resolve = (
  request: HttpClientRequest,
  { redactPath, route, targets: cache }: Pick<ClientOptions, "redactPath" | "route" | "targets">
): Target | TransportError => {
  // A fragment is not requested, and one that is set separately from the URL changes nothing.
  if (cache === undefined || request.urlParams.params.length > 0) return routed(parse(request, redactPath), route)
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

const parse = (request: HttpClientRequest, redactPath: RedactPath | undefined): Target | TransportError => {
  const url = Url.make(request.url, request.urlParams, Option.getOrUndefined(request.hash))
  if (Result.isFailure(url)) return fromFailure(invalidUrl(request.url))
  return targetOf(url.success, redactPath) ?? fromFailure(unsupportedProtocol(url.success))
}
