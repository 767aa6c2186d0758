import * as http2 from "node:http2"
import type { ExchangeRequest } from "../Connection.js"
import * as Failure from "../Failure.js"
import type { Origin } from "../Origin.js"
import { details, notConnected, type Progress } from "./errors.js"
import { isRefusedClient, tlsError } from "./tlsErrors.js"

const { constants } = http2

interface Http2Failure extends Error {
  readonly code?: string
}

/** RFC 9113 §7. */
const names = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED"
]

export const codeName = (code: number): string => names[code] ?? `code ${code}`

/** The server did not begin to process the request (RFC 9113 §8.7): any method can be sent again. */
export const unprocessed = (request: ExchangeRequest, code: number) =>
  Failure.streamReset({
    origin: request.origin.href,
    phase: "head",
    written: false,
    safeToRetry: true,
    code: codeName(code)
  })

/** The server ended the stream. */
export const reset = (request: ExchangeRequest, progress: Progress, code: number) => {
  const isUnprocessed = code === constants.NGHTTP2_REFUSED_STREAM || code === constants.NGHTTP2_HTTP_1_1_REQUIRED
  if (isUnprocessed && progress !== "Body") return unprocessed(request, code)
  const common = details(request, progress)
  return code === constants.NGHTTP2_NO_ERROR
    ? Failure.remoteProtocolError({
      ...common,
      code: "IncompleteResponse",
      detail: "the stream ended without an error before the answer was complete",
      section: "RFC 9113 §8.1"
    })
    : Failure.streamReset({
      ...common,
      // Whoever asks for calm does not want it again at once.
      safeToRetry: common.safeToRetry && code !== constants.NGHTTP2_ENHANCE_YOUR_CALM,
      code: codeName(code)
    })
}

/** The head of the answer is larger than `http2.maxHeaderListSize`. */
export const headTooLarge = (request: ExchangeRequest, progress: Progress, limit: number) =>
  Failure.remoteProtocolError({
    ...details(request, progress),
    code: "HeaderListTooLarge",
    detail: `the head of the answer is larger than http2.maxHeaderListSize, ${limit} bytes`,
    section: "RFC 9113 §6.5.2"
  })

/** A frame could not be sent: the fields are more than `node:http2` puts into one block. */
export const notSendable = (request: ExchangeRequest, code: number) =>
  Failure.localProtocolError({
    origin: request.origin.href,
    reason: "InvalidHeader",
    detail: `the head of the request cannot be sent over HTTP/2 (${codeName(code)}); is it too large?`
  })

export const refusedByNode = (request: ExchangeRequest, cause: unknown) =>
  Failure.localProtocolError({
    origin: request.origin.href,
    reason: "InvalidHeader",
    detail: cause instanceof Error ? cause.message : String(cause),
    cause
  })

/** What the server sent is not HTTP/2. */
export const isViolation = (cause: Http2Failure | undefined): cause is Http2Failure =>
  cause?.code === "ERR_HTTP2_ERROR" || cause?.code === "ERR_HTTP2_TOO_MANY_INVALID_FRAMES"

/** Node has found that, said so to the server and not to us, and stopped reading. */
export const deafness = (): Http2Failure =>
  Object.assign(new Error("Node does not read it any more"), { code: "ERR_HTTP2_ERROR" })

/** The connection ended, and Node has not noticed. */
export const gone = (): Http2Failure => Object.assign(new Error("the connection is gone"), { code: "ECONNRESET" })

export const violation = (request: ExchangeRequest, progress: Progress, cause: Http2Failure) =>
  Failure.remoteProtocolError({
    ...details(request, progress),
    code: cause.code ?? "ERR_HTTP2_ERROR",
    detail: `the connection carried what is not HTTP/2: ${cause.message}`,
    section: "RFC 9113 §5.4.1",
    cause
  })

/** A PING had no answer. */
export const unresponsive = (request: ExchangeRequest, progress: Progress) =>
  Failure.readError({
    ...details(request, progress),
    reason: "Other",
    detail: "the server sent nothing and did not answer a PING; the connection is given up"
  })

/** The connection ended before the server had said hello. */
export const noHandshake = (origin: Origin, cause: Http2Failure | undefined) => {
  if (cause === undefined) {
    return Failure.connectError({
      origin: origin.href,
      reason: "Reset",
      detail: "the other side closed the connection before it had said what it speaks; is it a server of HTTP/2?"
    })
  }
  if (isRefusedClient(cause)) return tlsError(origin, cause)
  if (!isViolation(cause)) return notConnected(origin, cause)
  return Failure.connectError({
    origin: origin.href,
    reason: "Other",
    detail: `what answers there does not speak HTTP/2; check http2: "prior-knowledge" (${cause.message})`,
    cause
  })
}
