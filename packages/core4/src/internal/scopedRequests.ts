import type { HttpClientRequest } from "effect/http/HttpClientRequest"

/**
 * The requests whose Scope decides how long their response lives (`PooledHttpClient.withScope`), by the object that a request
 * is. What Effect's own `HttpClient.withScope` remembers of them is its own: to learn of it, each request would have to go
 * by `HttpClient.make`, which costs as much as all the rest of it.
 */
const scopedRequests = new WeakMap<HttpClientRequest, AbortController>()

export const setScope = (request: HttpClientRequest, scope: AbortController): void => {
  scopedRequests.set(request, scope)
}

export const scopeOf = (request: HttpClientRequest): AbortController | undefined => scopedRequests.get(request)

/** A request that was made of another one lives as long as that. */
export const inheritScope = (from: HttpClientRequest, to: HttpClientRequest): HttpClientRequest => {
  const scope = scopedRequests.get(from)
  if (scope !== undefined && to !== from) scopedRequests.set(to, scope)
  return to
}
