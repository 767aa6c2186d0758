import type * as Headers from "effect/http/Headers"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpMethod } from "effect/http/HttpMethod"
import { isReplayable } from "./replayableBody.js"

/** The statuses that lead elsewhere by themselves. 300 offers a choice, 304 and 305 mean something else (RFC 9110 §15.4). */
export const isRedirect = (status: number): boolean =>
  status === 301 || status === 302 || status === 303 || status === 307 || status === 308

const contentFields: ReadonlySet<string> = new Set([
  "digest",
  "expect",
  "last-modified",
  "repr-digest",
  "trailer",
  "transfer-encoding"
])

/** They describe content that is no longer sent (RFC 9110 §15.4). */
const describesContent = (name: string): boolean => name.startsWith("content-") || contentFields.has(name)

/**
 * What goes along to another origin: fields that say what is asked for and describe content. All others may be a secret of
 * the origin that they were given for, whatever their name.
 */
export const harmlessFields: ReadonlyArray<string> = [
  "accept",
  "accept-charset",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "content-digest",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-type",
  "expect",
  "idempotency-key",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "pragma",
  "priority",
  "range",
  "repr-digest",
  "user-agent"
]

/** How a request differs from the one that was redirected. */
export interface Step {
  readonly from: URL
  readonly to: URL
  /** It is a GET now, without the content that the first request had. */
  readonly becomesGet: boolean
  /** It goes to another origin than the request before it. */
  readonly crosses: boolean
}

export const step = (request: HttpClientRequest.HttpClientRequest, status: number, from: URL, to: URL): Step => ({
  from,
  to,
  becomesGet: status === 303
    ? request.method !== "HEAD" && request.method !== "GET"
    : (status === 301 || status === 302) && request.method === "POST",
  crosses: !isSameParty(from, to)
})

/** The same origin, or the same host moved from http to https on the usual ports. */
const isSameParty = (from: URL, to: URL): boolean =>
  from.origin === to.origin ||
  (from.hostname === to.hostname && from.protocol === "http:" && to.protocol === "https:" &&
    from.port === "" && to.port === "")

/** Whether the content may go along: it is there to be sent again, and it may leave its origin, never in the clear. */
export const mayResend = (
  request: HttpClientRequest.HttpClientRequest,
  { becomesGet, crosses, from, to }: Step,
  bodiesAcrossOrigins: boolean
): boolean =>
  becomesGet || request.body._tag === "Empty" ||
  (isReplayable(request.body) &&
    (!crosses || (bodiesAcrossOrigins && !(from.protocol === "https:" && to.protocol === "http:"))))

/** The request that a redirect asks for, before anybody else has had a say. `method` is the one that was sent. */
export const redirected = (
  request: HttpClientRequest.HttpClientRequest,
  method: HttpClientRequest.HttpClientRequest["method"],
  { becomesGet, from, to }: Step,
  isAllowed: (name: string) => boolean
): HttpClientRequest.HttpClientRequest =>
  assemble(
    becomesGet ? "GET" : method,
    to,
    pick(request.headers, (name) =>
      name === "host"
        // It is another name for the origin that it was set for.
        ? from.origin === to.origin
        : isAllowed(name) && !(becomesGet && describesContent(name))),
    becomesGet ? undefined : request.body
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
    pick(mapped.headers, (name, value) =>
      hop.headers[name] === value || (isAllowed(name) && !(becomesGet && describesContent(name)))),
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
  const url = to.hash === "" ? to.href : to.href.slice(0, -to.hash.length)
  const bare = HttpClientRequest.make(method as HttpMethod)(url)
  const located = to.hash === "" ? bare : HttpClientRequest.setHash(bare, to.hash.slice(1))
  const withBody = body === undefined || body._tag === "Empty" ? located : HttpClientRequest.setBody(located, body)
  return HttpClientRequest.setHeaders(withBody, headers)
}

const pick = (
  headers: Headers.Headers,
  isKept: (name: string, value: string) => boolean
): Record<string, string> => Object.fromEntries(Object.entries(headers).filter(([name, value]) => isKept(name, value)))
