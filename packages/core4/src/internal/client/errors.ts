import { HttpClientError, type HttpClientErrorReason } from "effect/http/HttpClientError"
import { withoutFrames } from "../printable.js"
import { withShownUrl } from "./shownRequest.js"

/** An error of Effect's client, without the frames of where it was made, and with the URL as it may be shown. */
export const clientError = (makeReason: () => HttpClientErrorReason): HttpClientError =>
  withoutFrames(() => new HttpClientError({ reason: withShownUrl(makeReason()) }))
