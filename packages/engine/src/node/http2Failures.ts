import type { ExchangeRequest } from "../Connection.js"
import * as Failures from "../Failure.js"
import { continued } from "../format.js"
import type { Failure, GoAway, StreamFailure } from "../http2/index.js"
import { errorCodeName } from "../http2/index.js"
import { receivedInsteadOfHttp2 } from "../network/index.js"
import type { Origin } from "../Origin.js"
import { broken, notConnected } from "./errors.js"
import { isRefusedClient, tlsError } from "./tlsErrors.js"

/** How a stream has failed, in the words that all connections share. */
export const streamFailure = (failed: StreamFailure, request: ExchangeRequest): Failures.Failure => {
  const { failure } = failed
  const details: Failures.Details = {
    origin: request.origin.href,
    phase: failed.hasResponse ? "body" : "headers",
    written: failed.written,
    safeToRetry: failed.retry === "Always" || (failed.retry === "IfRetryable" && request.retryable)
  }
  switch (failure._tag) {
    case "LocalError": {
      const { detail, reason, section } = failure
      const origin = request.origin.href
      return reason === "InvalidTrailer"
        ? Failures.requestBodyError({
          ...details,
          phase: "send",
          cause: Failures.localProtocolError({ origin, reason: "InvalidHeader", detail, section })
        })
        : Failures.localProtocolError({ origin, reason, detail, section })
    }
    case "ProtocolError":
      return Failures.remoteProtocolError({
        ...details,
        code: failure.code,
        detail: failure.detail,
        section: failure.section
      })
    case "StreamReset":
      return Failures.streamReset({ ...details, code: errorCodeName(failure.errorCode) })
    case "Unprocessed":
      return Failures.streamReset({
        ...details,
        code: errorCodeName(failure.goAway.errorCode),
        goAway: goAwayOf(failure.goAway)
      })
    case "Ended":
      return Failures.readError({
        ...details,
        reason: "Ended",
        detail: `the server closed the connection before the response was complete${after(failure.goAway)}`
      })
    case "Broken":
      return failure.cause instanceof Error
        ? broken(request, failed.hasResponse ? "Body" : failed.written ? "Sent" : "Unsent", failure.cause)
        : Failures.readError({ ...details, reason: "Other", detail: String(failure.cause) })
    case "NotSent":
      return Failures.readError({
        ...details,
        reason: "Ended",
        detail: `the connection takes no more requests${after(failure.goAway)}`
      })
    case "Unresponsive":
      return Failures.readError({ ...details, reason: "Other", detail: unresponsive[failure.what] })
    case "Closed":
      return Failures.readError({
        ...details,
        reason: "PoolClosed",
        detail: "the connection was closed while it was in use; the pool's scope has ended"
      })
  }
}

/**
 * The connection ended before the server's SETTINGS had come.
 *
 * @param first the first bytes that came
 */
export const notReady = (origin: Origin, failure: Failure, first: Uint8Array): Failures.Failure => {
  switch (failure._tag) {
    case "Broken":
      if (!(failure.cause instanceof Error)) break
      return isRefusedClient(failure.cause) ? tlsError(origin, failure.cause) : notConnected(origin, failure.cause)
    case "ProtocolError":
      return failure.code === "InvalidPreface" ? notHttp2(origin, first) : Failures.connectError({
        origin: origin.href,
        reason: "WrongProtocol",
        detail: `${doesNotSpeakHttp2(origin)}: ${failure.detail}; ${goWithout(origin)}`
      })
    case "Ended":
      return Failures.connectError({
        origin: origin.href,
        reason: "Reset",
        detail: failure.goAway !== undefined
          ? `the server closed the connection at once${after(failure.goAway)}`
          : origin.scheme === "https"
          ? "the server chose h2 in the TLS handshake (ALPN), and closed the connection without a word; " +
            "http2: false goes without"
          : "the other side closed the connection before it had said what it speaks; is it a server of HTTP/2? If it " +
            "speaks TLS, use https:"
      })
    case "Unresponsive":
      return Failures.connectError({ origin: origin.href, reason: "Other", detail: unresponsive[failure.what] })
    default:
      break
  }
  return Failures.connectError({ origin: origin.href, reason: "Other", detail: "the connection was closed" })
}

/** Something else than SETTINGS has come. */
const notHttp2 = (origin: Origin, first: Uint8Array): Failures.Failure => {
  const { received, spoken } = receivedInsteadOfHttp2(first)
  const found = `the first octets are ${received}, which is no SETTINGS frame`
  return Failures.connectError({
    origin: origin.href,
    reason: "WrongProtocol",
    detail: spoken !== undefined && origin.scheme === "http"
      ? `${continued(spoken.hint)} (${found})`
      : `${doesNotSpeakHttp2(origin)}${spoken === undefined ? "" : `, but ${spoken.protocol}`}: ${found}; ${
        goWithout(origin)
      }`,
    received,
    ...(spoken === undefined ? {} : { protocol: spoken.protocol })
  })
}

const doesNotSpeakHttp2 = ({ scheme }: Origin): string =>
  scheme === "https"
    ? "it chose h2 in the TLS handshake (ALPN) and does not speak HTTP/2"
    : "what is there does not speak HTTP/2"

const goWithout = ({ scheme }: Origin): string =>
  scheme === "https" ? "http2: false goes without" : `check http2: "prior-knowledge"`

const unresponsive = {
  PING: "the server sent nothing and did not acknowledge a PING; the connection is closed",
  SETTINGS: "the server did not acknowledge our SETTINGS; the connection is closed"
}

const goAwayOf = ({ debug, lastStreamId }: GoAway) => ({ lastStreamId, debug })

const after = (goAway: GoAway | undefined): string =>
  goAway === undefined
    ? ""
    : `, after GOAWAY with ${errorCodeName(goAway.errorCode)}${goAway.debug === "" ? "" : ` ("${goAway.debug}")`}`
