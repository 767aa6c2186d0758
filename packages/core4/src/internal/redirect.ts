import { keptFields, redirectedFields, splitFragment, type Step } from "@sluice/engine/client"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpMethod } from "effect/http/HttpMethod"

/** The request that a redirect asks for, before anybody else has had a say. `method` is the one that was sent. */
export const redirected = (
  request: HttpClientRequest.HttpClientRequest,
  method: HttpClientRequest.HttpClientRequest["method"],
  step: Step,
  isAllowed: (name: string) => boolean
): HttpClientRequest.HttpClientRequest =>
  assemble(
    step.becomesGet ? "GET" : method,
    step.to,
    redirectedFields(request.headers, step, isAllowed),
    step.becomesGet ? undefined : request.body
  )

/**
 * What mappers made of a redirected request: where it goes and how is not theirs to say, and across origins nothing passes
 * that they added, unless it is listed.
 */
export const kept = (
  hop: HttpClientRequest.HttpClientRequest,
  mapped: HttpClientRequest.HttpClientRequest,
  to: URL,
  becomesGet: boolean,
  isAllowed: (name: string) => boolean
): HttpClientRequest.HttpClientRequest =>
  assemble(
    hop.method,
    to,
    keptFields(hop.headers, mapped.headers, becomesGet, isAllowed),
    becomesGet ? undefined : mapped.body
  )

/**
 * The URL goes into the request as text: the platform would parse its query and encode it anew, and a signed URL is
 * signed as it is written.
 */
const assemble = (
  method: HttpClientRequest.HttpClientRequest["method"],
  to: URL,
  headers: Record<string, string>,
  body: HttpClientRequest.HttpClientRequest["body"] | undefined
): HttpClientRequest.HttpClientRequest => {
  const [url, fragment] = splitFragment(to)
  const bare = HttpClientRequest.make(method as HttpMethod)(url)
  const located = fragment === undefined ? bare : HttpClientRequest.setHash(bare, fragment)
  const withBody = body === undefined || body._tag === "Empty" ? located : HttpClientRequest.setBody(located, body)
  return HttpClientRequest.setHeaders(withBody, headers)
}
