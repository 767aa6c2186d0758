import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { divideUrl, hasHiddenParts, redactHeaders, redactPairs, shownUrl } from "@sluice/engine/client"
import * as Encoding from "effect/Encoding"
import { NodeInspectSymbol } from "effect/Inspectable"
import * as Option from "effect/Option"
import type { RedactPath } from "./ClientOptions.js"

type Request = HttpClientRequest.HttpClientRequest

/** What may be shown of the paths of these requests, where somebody says so: a token in a path looks like any other word. */
const redactions = new WeakMap<object, RedactPath>()

export const redactPathOf = (request: Request, redactPath: RedactPath): void => {
  redactions.set(request, redactPath)
}

/**
 * The same request, which code reads and sends as before; but printed in any way it shows no secret.
 */
export const printable = (request: Request): Request => {
  const shown: Request = Object.assign(Object.create(prototype), request)
  const redactPath = redactions.get(request)
  if (redactPath !== undefined) redactions.set(shown, redactPath)
  return shown
}

/** An error of the platform puts its request's URL into its message, and code sends that request again. */
export const withShownUrl = <E extends { readonly request: Request }>(error: E): E =>
  redactions.has(error.request)
    ? Object.defineProperty(error, "methodAndUrl", {
      value: `${error.request.method} ${shownUrl(error.request.url, redactions.get(error.request))}`
    })
    : error

/**
 * A request as errors carry it. The platform puts its URL into their messages, so what comes after the path is moved to
 * `urlParams`, and userinfo to the header that it is sent in: sent again it asks for the same.
 */
export const shownRequest = (request: Request): Request => {
  const shown = printable(request)
  return needsChange(request) ? Object.assign(shown, moved(request)) : shown
}

const needsChange = ({ hash, url }: Request): boolean => hasHiddenParts(url) || Option.isSome(hash)

const moved = (request: Request): Partial<Request> => {
  const { credentials, query, url } = divideUrl(request.url)
  return {
    url,
    urlParams: query === undefined ? [] : [...query, ...request.urlParams],
    hash: Option.none(),
    ...(credentials === undefined || request.headers["authorization"] !== undefined
      ? {}
      : {
        headers:
          HttpClientRequest.setHeader(request, "authorization", `Basic ${Encoding.encodeBase64(credentials)}`).headers
      })
  }
}

/** What may be shown of a URL that has to do with a request. */
export const shownUrlOf = (request: Request, url: string): string => shownUrl(url, redactions.get(request))

/** Names of parameters and headers, the size of the body, and no value that may be a secret. */
const toJSON = (request: Request): unknown => {
  const { body, headers, method, url, urlParams } = request
  return {
    _id: "@effect/platform/HttpClientRequest",
    method,
    url: shownUrl(url, redactions.get(request)),
    urlParams: redactPairs(urlParams),
    headers: redactHeaders(headers),
    body: { _tag: body._tag, contentType: body.contentType, contentLength: body.contentLength }
  }
}

const prototype: object = Object.create(Object.getPrototypeOf(HttpClientRequest.get("http://localhost/")), {
  toJSON: {
    value(this: Request): unknown {
      return toJSON(this)
    }
  },
  toString: {
    value(this: Request): string {
      return JSON.stringify(toJSON(this), undefined, 2)
    }
  },
  [NodeInspectSymbol]: {
    value(this: Request): unknown {
      return toJSON(this)
    }
  }
})
