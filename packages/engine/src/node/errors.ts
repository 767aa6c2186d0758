import type { ExchangeRequest } from "../Connection.js"
import * as Failure from "../Failure.js"
import type { ProtocolViolation } from "../http1/index.js"
import type { Origin } from "../Origin.js"
import { isRefusedClient, tlsError } from "./tlsErrors.js"

/** What Node's errors carry besides their message. */
interface SystemError extends Error {
  readonly code?: string
  readonly syscall?: string
  readonly errors?: ReadonlyArray<SystemError>
}

const localReasons: Partial<Record<ProtocolViolation["code"], Failure.LocalProtocolError["reason"]>> = {
  InvalidMethod: "InvalidMethod",
  InvalidTarget: "InvalidTarget",
  InvalidHost: "InvalidTarget",
  ForbiddenContent: "InvalidBody",
  InvalidContentLength: "InvalidBody",
  ConflictingFraming: "InvalidBody"
}

/** The request breaks the protocol; nothing of it was written. */
export const invalidRequest = (request: ExchangeRequest, violation: ProtocolViolation) =>
  Failure.localProtocolError({
    origin: request.origin.href,
    reason: localReasons[violation.code] ?? "InvalidHeader",
    detail: violation.message,
    section: violation.section
  })

/** The trailers break the protocol, when the body has been sent already. */
export const invalidTrailers = (request: ExchangeRequest, violation: ProtocolViolation) =>
  Failure.requestBodyError({
    origin: request.origin.href,
    phase: "send",
    written: true,
    safeToRetry: false,
    cause: invalidRequest(request, violation)
  })

/** How far an exchange has come: nothing written, something of it, the head of its answer complete. */
export type Progress = "Unsent" | "Sent" | "Body"

export const details = (request: ExchangeRequest, progress: Progress): Failure.Details => ({
  origin: request.origin.href,
  phase: progress === "Body" ? "body" : "head",
  written: progress !== "Unsent",
  safeToRetry: progress === "Unsent" || request.retryable
})

/** The answer breaks the protocol; `hint` is what seems to be spoken in place of it. */
export const protocolViolation = (
  request: ExchangeRequest,
  violation: ProtocolViolation,
  progress: Progress,
  hint?: string
) =>
  Failure.remoteProtocolError({
    ...details(request, progress),
    code: violation.code,
    detail: hint ?? violation.message,
    section: violation.section
  })

/** The peer ended the connection before the answer was complete. */
export const ended = (request: ExchangeRequest, progress: Progress, detail: string) =>
  Failure.readError({ ...details(request, progress), reason: "Ended", detail })

/** The connection was closed under the exchange, by us. */
export const closed = (request: ExchangeRequest, progress: Progress) =>
  Failure.readError({
    ...details(request, progress),
    reason: "PoolClosed",
    detail: "the connection was closed while it was in use; the pool's scope has ended"
  })

/** Reading from or writing to the socket failed. */
export const broken = (request: ExchangeRequest, progress: Progress, cause: SystemError) => {
  if (isRefusedClient(cause)) return tlsError(request.origin, cause)
  const common = { ...details(request, progress), cause, detail: describe(cause) }
  return cause.syscall === "write" || cause.code === "EPIPE"
    ? Failure.writeError(common)
    : Failure.readError({ ...common, reason: cause.code === "ECONNRESET" ? "Reset" : "Other" })
}

/** The connection could not be made. */
export const notConnected = (origin: Origin, failure: Error) => {
  const cause = mostTelling(failure)
  return Failure.connectError({
    origin: origin.href,
    reason: connectReasons[cause.code ?? ""] ?? "Other",
    detail: describe(cause),
    cause: failure
  })
}

const connectReasons: Record<string, Failure.ConnectError["reason"]> = {
  ECONNREFUSED: "Refused",
  ENOENT: "Refused",
  ENOTFOUND: "UnknownHost",
  EAI_AGAIN: "UnknownHost",
  EHOSTUNREACH: "Unreachable",
  ENETUNREACH: "Unreachable",
  EADDRNOTAVAIL: "Unreachable",
  ECONNRESET: "Reset"
}

/** When several addresses were tried, the errors of each are inside. */
const mostTelling = (error: SystemError): SystemError => error.errors?.[0] ?? error

const explanations: Record<string, string> = {
  ECONNREFUSED: "nothing listens there; is the server running, and is the port right?",
  ENOENT: "there is no such socket; is the server running, and is the path right?",
  ENOTFOUND: "there is no host of that name; is it spelled right?",
  EAI_AGAIN: "the name could not be looked up; is there a network and a name server?",
  EHOSTUNREACH: "there is no way to that host",
  ENETUNREACH: "there is no way to that network",
  ECONNRESET: "the other side closed the connection",
  EPIPE: "the other side had closed the connection",
  ETIMEDOUT: "the other side does not answer"
}

const describe = (error: SystemError): string => {
  const explanation = explanations[error.code ?? ""]
  return explanation === undefined ? error.message : `${explanation} (${error.message})`
}
