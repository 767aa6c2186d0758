import type { SignedRequest } from "@sluice/engine/node"
import { type HttpClientRequest, toUrl } from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import { bodyBytes } from "./bodyBytes.js"

/** What credentials are computed of; none without a valid URL. */
export const signedRequest = (request: HttpClientRequest): SignedRequest | undefined =>
  Option.match(toUrl(request), {
    onNone: () => undefined,
    onSome: (url) => ({ method: request.method, url, body: bodyBytes(request) })
  })
