import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import { globalValue } from "effect/GlobalValue"

/**
 * The platform's own record of the requests whose Scope decides how long their response lives (`HttpClient.withScope`), by
 * the object that a request is.
 */
const scopedRequests = globalValue(
  "@effect/platform/HttpClient/scopedRequests",
  () => new WeakMap<HttpClientRequest, AbortController>()
)

/** A request that was made of another one lives as long as that. */
export const inheritScope = (from: HttpClientRequest, to: HttpClientRequest): HttpClientRequest => {
  const scope = scopedRequests.get(from)
  if (scope !== undefined && to !== from) scopedRequests.set(to, scope)
  return to
}
