import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Origin from "../../Origin.js"
import { LocalProtocolError, type UnsupportedProtocol } from "../../TransportError.js"
import { quoteUrl } from "../quoteUrl.js"

/**
 * Where a request goes.
 */
export interface Target {
  readonly origin: Origin.Origin
  /** Path and query: the request target in origin-form (RFC 9112 §3.2.1). Never a fragment. */
  readonly path: string
  /** Origin and path, for messages: no credentials, no query. */
  readonly display: string
  /** From the URL's userinfo, which is not sent as part of the URL (RFC 9110 §4.2.4). */
  readonly authorization: string | undefined
  readonly url: URL
}

export type InvalidTarget = LocalProtocolError | UnsupportedProtocol

/** Most programs request few different URLs; parsing one costs as much as finding it a thousand times. */
const cachedUrls = 512

const cache = new Map<string, Target>()

export const resolve = (request: HttpClientRequest): Target | InvalidTarget => {
  if (request.urlParams.length > 0) return Either.merge(parse(request))
  const cached = cache.get(request.url)
  if (cached !== undefined) return cached
  const parsed = parse(request)
  if (Either.isRight(parsed)) {
    if (cache.size >= cachedUrls) cache.clear()
    cache.set(request.url, parsed.right)
  }
  return Either.merge(parsed)
}

const noPath = /^[a-z][a-z\d+.-]*:\/\/[^/?#\\]*(#|$)/i

/**
 * What is asked for there. OPTIONS of a URL without a path asks for the server as a whole, which is `*` (RFC 9112 §3.2.4).
 */
export const requestTarget = (request: HttpClientRequest, { path }: Target): string =>
  request.method === "OPTIONS" && path === "/" && noPath.test(request.url) ? "*" : path

const parse = (request: HttpClientRequest): Either.Either<Target, InvalidTarget> => {
  const url = UrlParams.makeUrl(request.url, request.urlParams, request.hash)
  if (Either.isLeft(url)) {
    return Either.left(
      new LocalProtocolError({
        origin: "",
        reason: "InvalidUrl",
        detail: `${quoteUrl(request.url)} is not a valid URL; write all of it, as in http://example.com/`,
        // Node's error shows all of the URL.
        ...(request.url.includes("@") ? {} : { cause: url.left })
      })
    )
  }
  return Either.map(Origin.fromUrl(url.right), (origin) => ({
    origin,
    path: url.right.pathname + url.right.search,
    display: url.right.origin + url.right.pathname,
    authorization: basicCredentials(url.right),
    url: url.right
  }))
}

const basicCredentials = (url: URL): string | undefined =>
  url.username === "" && url.password === ""
    ? undefined
    : `Basic ${Encoding.encodeBase64(`${decode(url.username)}:${decode(url.password)}`)}`

/** What is not percent-encoded as it should be is taken as it is; the URL parser lets it pass too. */
const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
