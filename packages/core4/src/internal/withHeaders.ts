import type { Headers } from "effect/http/Headers"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import { inheritScope } from "./scopedRequests.js"

/** The same request with these headers and no others. The platform can add headers, and not remove one. */
export const withHeaders = (request: HttpClientRequest, headers: Headers): HttpClientRequest =>
  inheritScope(request, Object.assign(Object.create(Object.getPrototypeOf(request)), request, { headers }))
