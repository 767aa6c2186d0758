import type { ExchangeRequest } from "../Connection.js"
import { describeTried, type TriedAddress } from "../DialStage.js"
import * as Failure from "../Failure.js"
import { continued } from "../format.js"
import type { ProtocolError } from "../http1/index.js"
import { type Attempt, instead, type Received } from "../network/index.js"
import type { Origin } from "../Origin.js"
import { connectReason, describe, type SystemError } from "./systemErrors.js"
import { isRefusedClient, tlsError } from "./tlsErrors.js"

const localReasons: Partial<Record<ProtocolError["code"], Failure.LocalProtocolError["reason"]>> = {
  InvalidMethod: "InvalidMethod",
  InvalidTarget: "InvalidTarget",
  InvalidHost: "InvalidTarget",
  ForbiddenContent: "InvalidBody",
  InvalidContentLength: "InvalidBody",
  ConflictingFraming: "InvalidBody"
}

/** The request breaks the protocol; nothing of it was written. */
export const invalidRequest = (request: ExchangeRequest, error: ProtocolError) =>
  Failure.localProtocolError({
    origin: request.origin.href,
    reason: localReasons[error.code] ?? "InvalidHeader",
    detail: error.message,
    section: error.section
  })

/** The trailers break the protocol, when the body has been sent already. */
export const invalidTrailers = (request: ExchangeRequest, error: ProtocolError) =>
  Failure.requestBodyError({
    origin: request.origin.href,
    phase: "send",
    written: true,
    safeToRetry: false,
    cause: invalidRequest(request, error)
  })

/** How far an exchange has come: nothing written, something of it, the head of its response complete. */
export type Progress = "Unsent" | "Sent" | "Body"

export const details = (request: ExchangeRequest, progress: Progress): Failure.Details => ({
  origin: request.origin.href,
  phase: progress === "Body" ? "body" : "headers",
  written: progress !== "Unsent",
  safeToRetry: progress === "Unsent" || request.retryable
})

/** The response breaks the protocol. */
export const invalidResponse = (
  request: ExchangeRequest,
  error: ProtocolError,
  progress: Progress,
  { received, spoken }: Received = {}
) => {
  const found = received === undefined ? error.message : `${error.message}, in ${received}`
  return Failure.remoteProtocolError({
    ...details(request, progress),
    code: error.code,
    detail: spoken === undefined ? found : `${spoken.hint} (${continued(found)})`,
    section: error.section,
    ...(received === undefined ? {} : { received }),
    ...(spoken === undefined ? {} : { protocol: spoken.protocol })
  })
}

/**
 * On a connection that nothing was asked on yet: some servers speak first. Not shown, unless it is known what it is: it may
 * be the rest of a response to somebody else.
 */
export const unasked = (request: ExchangeRequest, bytes: Uint8Array, length: number) => {
  const spoken = instead(bytes, length)
  const what = spoken === undefined ? `${length} bytes` : `bytes`
  const found = `the server had sent ${what} that nobody asked for`
  return ended(request, "Unsent", spoken === undefined ? found : `${found}. ${spoken.hint}`)
}

/** The peer ended the connection before the response was complete. */
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
export const notConnected = (origin: Origin, failure: Error) =>
  Failure.connectError({
    origin: origin.href,
    reason: connectReason(failure),
    detail: describe(failure),
    cause: failure
  })

/** The connection was made, and ended before TLS stood. */
export const notSecured = (origin: Origin, failure: SystemError) =>
  failure.code === "ECONNRESET"
    ? Failure.connectError({
      origin: origin.href,
      reason: "Reset",
      detail:
        "the server accepted the connection, and closed it in the TLS handshake; does that port speak TLS, and does " +
        `nothing in between cut it? (${failure.message})`,
      cause: failure
    })
    : notConnected(origin, failure)

/** Nobody knows how its connections are to be made. */
export const noOptionsFor = ({ href }: Origin, { cause, message }: Error) =>
  Failure.localProtocolError({
    origin: href,
    reason: "Configuration",
    detail: message,
    ...(cause === undefined ? {} : { cause })
  })

/** The address policy has something against it. */
export const notAllowed = (origin: Origin, address: string | undefined, detail: string) =>
  Failure.addressNotAllowed({ origin: origin.href, address, detail })

/** Each of the addresses was tried. */
export const notConnectedToAny = (origin: Origin, attempts: ReadonlyArray<Attempt<Error>>) => {
  const failures = attempts.flatMap(({ failure }) => failure === undefined ? [] : [failure])
  // Where one host refuses and there is no way to another one, the first says more.
  const cause = failures.find((failure) => connectReason(failure) !== "Unreachable") ?? failures[0]
  return Failure.connectError({
    origin: origin.href,
    reason: connectReason(cause),
    detail: attempts.length === 1 ? describe(cause) : `none of its addresses lets us: ${describeAttempts(attempts)}`,
    addresses: triedAddresses(attempts),
    cause: attempts.length === 1 ? cause : new AggregateError(failures, cause.message)
  })
}

/** `192.0.2.1 (ECONNREFUSED), 2001:db8::1 (no response)`. */
const describeAttempts = (attempts: ReadonlyArray<Attempt<Error>>): string => describeTried(triedAddresses(attempts))

export const triedAddresses = (attempts: ReadonlyArray<Attempt<Error>>): ReadonlyArray<TriedAddress> =>
  attempts.map(({ address, failure, startedAfter }) => ({
    address: address.address,
    startedAfter,
    outcome: outcomeOf(failure)
  }))

const outcomeOf = (failure: SystemError | undefined): string =>
  failure === undefined ? "no response" : failure.code ?? failure.message
