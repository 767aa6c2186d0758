import type { DialStage, TriedAddress } from "./DialStage.js"
import { formatMillis } from "./format.js"
import type { PoolSnapshot } from "./PoolSnapshot.js"

/**
 * Where in its life a request failed: waiting for the pool, making the connection, sending the request, waiting for the
 * response head, reading the body.
 */
export type Phase = "pool" | "connect" | "send" | "headers" | "body"

/** What every failure says. */
export interface Details {
  /** Scheme, host and port. Never a path, a query or credentials. */
  readonly origin: string
  readonly phase: Phase
  /** Whether any byte of the request was handed to the transport. */
  readonly written: boolean
  /**
   * Whether the request can be sent again without being carried out twice: the server cannot have acted on it, or its
   * method is idempotent (RFC 9110 §9.2.2), or it has an `Idempotency-Key`, and its body can be sent again.
   */
  readonly safeToRetry: boolean
  /** The connection that it failed on, if it had one. */
  readonly connection?: FailedConnection | undefined
  readonly cause?: unknown
}

/** The connection that a request failed on. Times in milliseconds. */
export interface FailedConnection {
  /** Its number in the pool, as in events. */
  readonly id: number
  readonly protocol: "http/1.1" | "h2"
  readonly remoteAddress: string | undefined
  /** Whether it had served another request before. */
  readonly reused: boolean
  /** How long the request waited for it; that includes making a new one. */
  readonly waitTime: number
  /** How long making it took, TLS included; undefined when it was reused. */
  readonly connectTime: number | undefined
  /** How much of that was the TLS handshake. */
  readonly tlsTime: number | undefined
  /** How many bytes of the response's body had come. */
  readonly received: number
}

/** A failure of the pool or of dialing: nothing was sent. */
interface NotSent extends Details {
  readonly written: false
}

interface TimedOut {
  /** In milliseconds. */
  readonly timeout: number
}

export interface PoolTimeout extends NotSent {
  readonly _tag: "PoolTimeout"
  readonly phase: "pool"
  readonly safeToRetry: true
  /** How long it waited, in milliseconds. */
  readonly waited: number
  /** Its position in the queue of its origin, 1 for the next. */
  readonly position: number
  readonly pool: PoolSnapshot
}

export interface PoolClosed extends NotSent {
  readonly _tag: "PoolClosed"
  readonly phase: "pool"
  readonly safeToRetry: true
}

export interface PoolQueueFull extends NotSent {
  readonly _tag: "PoolQueueFull"
  readonly phase: "pool"
  readonly safeToRetry: true
  readonly maxPendingRequests: number
  readonly pool: PoolSnapshot
}

export interface ConnectTimeout extends NotSent, TimedOut {
  readonly _tag: "ConnectTimeout"
  readonly phase: "connect"
  readonly safeToRetry: true
  /** How far it had come. */
  readonly stage?: DialStage | undefined
}

export interface ConnectError extends NotSent {
  readonly _tag: "ConnectError"
  readonly phase: "connect"
  readonly safeToRetry: true
  readonly reason:
    | "Refused"
    | "UnknownHost"
    | "NameServer"
    | "Unreachable"
    | "NotAllowed"
    | "ProcessLimit"
    | "Reset"
    | "WrongProtocol"
    | "Other"
  /** What was tried, and what the system said. */
  readonly detail: string
  /** Every address of the host, if it came to that. */
  readonly addresses?: ReadonlyArray<TriedAddress> | undefined
  /** Where it is this process that has reached a limit (`ProcessLimit`): the pool's, and how many it had open or was making. */
  readonly connections?: { readonly open: number; readonly maxConnections: number } | undefined
  /** What came instead of HTTP/2's SETTINGS (`WrongProtocol`), quoted: 64 bytes at most, and of HTTP/1.1 the status line. */
  readonly received?: string | undefined
  /** What seems to be spoken instead of HTTP/2, where it is known: `HTTP/1.1`, `Redis`, `SSH`, `TLS`, … */
  readonly protocol?: string | undefined
}

/** The certificate that a server showed. */
export interface Certificate {
  /** As `CN=a.test, O=Somebody`. */
  readonly subject: string
  readonly issuer: string
  /** As the certificate has it: `Nov 30 00:00:00 2026 GMT`. */
  readonly validFrom: string
  readonly validTo: string
  /** The host names and addresses that it covers. */
  readonly names: ReadonlyArray<string>
  /** The subjects of its chain, the server's own first: of what came, and what of it is known here. */
  readonly chain: ReadonlyArray<string>
}

/** The address policy does not allow it. Nothing was connected to. */
export interface AddressNotAllowed extends NotSent {
  readonly _tag: "AddressNotAllowed"
  readonly phase: "connect"
  readonly safeToRetry: false
  /** Which of the host's addresses, or the path of a Unix socket; undefined where the host itself is what is not allowed. */
  readonly address: string | undefined
  readonly detail: string
}

export interface TlsError extends NotSent {
  readonly _tag: "TlsError"
  readonly phase: "connect"
  readonly safeToRetry: true
  readonly reason:
    | "Expired"
    | "NotYetValid"
    | "UnknownAuthority"
    | "HostName"
    | "InvalidCertificate"
    | "Pin"
    | "ProtocolVersion"
    | "ClientCertificate"
    | "Configuration"
    | "Other"
  /** What is wrong and what to check. */
  readonly detail: string
  /** The server's, where that is what is wrong. */
  readonly certificate?: Certificate | undefined
}

export interface UnsupportedProtocol extends NotSent {
  readonly _tag: "UnsupportedProtocol"
  readonly phase: "connect"
  readonly safeToRetry: false
  readonly protocol: string
}

export interface ProxyError extends Details {
  readonly _tag: "ProxyError"
  /** Which one: its URL, without credentials. Empty when the function `proxy` has named none. */
  readonly proxy: string
  /**
   * - `Unreachable`: it could not be connected to.
   * - `Tls`: it could be, and there was no TLS connection to it. `cause` says why.
   * - `Authentication`: it wants credentials, or other ones.
   * - `Refused`: it does not want to, or could not reach the origin.
   * - `Protocol`: what it says is no response.
   * - `Ended`: it closed the connection before there was a tunnel, or before something had come through it.
   * - `Configuration`: what is to be sent to it cannot be sent.
   */
  readonly reason: "Unreachable" | "Tls" | "Authentication" | "Refused" | "Protocol" | "Ended" | "Configuration"
  readonly detail: string
  /** The status of its response. */
  readonly status?: number | undefined
  /** The first KiB of the content that came with it. */
  readonly body?: string | undefined
  /** The code of its SOCKS reply (RFC 1928 §6). */
  readonly code?: number | undefined
}

export interface LocalProtocolError extends NotSent {
  readonly _tag: "LocalProtocolError"
  readonly phase: "send"
  readonly safeToRetry: false
  /** `Configuration`: a function among the options, `origins`, threw or returned what is not right. */
  readonly reason:
    | "InvalidUrl"
    | "InvalidMethod"
    | "InvalidTarget"
    | "InvalidHeader"
    | "InvalidBody"
    | "NotSupported"
    | "Configuration"
  readonly detail: string
  /** Where the rule is written. */
  readonly section?: string | undefined
}

/** What had been handed to the system of a request's body when its response did not come: some may be on its way still. */
export interface HandedOver {
  /** In bytes. */
  readonly size: number
  /** How long before, in milliseconds. */
  readonly ago: number
}

export interface ReadTimeout extends Details, TimedOut {
  readonly _tag: "ReadTimeout"
  readonly handedOver?: HandedOver | undefined
}

export interface ReadError extends Details {
  readonly _tag: "ReadError"
  readonly reason: "Ended" | "Reset" | "PoolClosed" | "Other"
  readonly detail: string
}

export interface WriteTimeout extends Details, TimedOut {
  readonly _tag: "WriteTimeout"
}

export interface WriteError extends Details {
  readonly _tag: "WriteError"
  readonly detail: string
}

export interface HeadersTimeout extends Details, TimedOut {
  readonly _tag: "HeadersTimeout"
  readonly handedOver?: HandedOver | undefined
}

export interface TotalTimeout extends Details, TimedOut {
  readonly _tag: "TotalTimeout"
}

export interface RemoteProtocolError extends Details {
  readonly _tag: "RemoteProtocolError"
  /** The rule, as a short name. */
  readonly code: string
  /** What was received. */
  readonly detail: string
  /** What came at once where a head was due, quoted: 64 bytes at most, and of a field no more than its name. */
  readonly received?: string | undefined
  /** What seems to be spoken instead of HTTP, where it is known: `Redis`, `SSH`, `TLS`, … */
  readonly protocol?: string | undefined
  /** Where the rule is written, as in `RFC 9112 §6.3`. */
  readonly section?: string | undefined
}

export interface StreamReset extends Details {
  readonly _tag: "StreamReset"
  /** The error code by its name, as in `INTERNAL_ERROR` (RFC 9113 §7). */
  readonly code: string
  /**
   * The server did not reset the stream: it ended the connection without beginning with this stream (GOAWAY, RFC 9113
   * §6.8). Its debug data is printable ASCII.
   */
  readonly goAway?: { readonly lastStreamId: number; readonly debug: string } | undefined
}

export interface BodyAbandoned extends Details {
  readonly _tag: "BodyAbandoned"
  readonly reason: "Unread" | "ScopeClosed" | "AlreadyRead" | "Cancelled"
}

export interface ResponseTooLarge extends Details {
  readonly _tag: "ResponseTooLarge"
  /** In bytes. */
  readonly maxResponseSize: number
  /** What cannot be larger, where it is not the option `maxResponseSize` that says so. */
  readonly reader?: "text" | "bytes" | undefined
}

/** The stream of the request's body failed. `cause` is its own error. */
export interface RequestBodyError extends Details {
  readonly _tag: "RequestBodyError"
}

/**
 * Every way in which a request can fail on its way, as plain data. A face makes its error classes of these; what a person
 * reads is `describe` (`describeFailure.ts`).
 */
export type Failure =
  | PoolTimeout
  | PoolClosed
  | PoolQueueFull
  | ConnectTimeout
  | ConnectError
  | AddressNotAllowed
  | TlsError
  | UnsupportedProtocol
  | ProxyError
  | LocalProtocolError
  | ReadTimeout
  | ReadError
  | WriteTimeout
  | WriteError
  | HeadersTimeout
  | TotalTimeout
  | RemoteProtocolError
  | StreamReset
  | BodyAbandoned
  | ResponseTooLarge
  | RequestBodyError

export type FailureTag = Failure["_tag"]

export type FailureOf<Tag extends FailureTag> = Extract<Failure, { readonly _tag: Tag }>

type Distributed<A, K extends PropertyKey> = Omit<A, Extract<K, keyof A>>

/** `fixed` is what all failures of this kind have in common. */
const maker = <Tag extends FailureTag, Fixed extends Partial<FailureOf<Tag>>>(tag: Tag, fixed: Fixed) =>
(
  given: Distributed<FailureOf<Tag>, "_tag" | keyof Fixed>
): FailureOf<Tag> => ({ _tag: tag, ...fixed, ...given }) as unknown as FailureOf<Tag>

const inPool = { phase: "pool", written: false, safeToRetry: true } as const
const connecting = { phase: "connect", written: false, safeToRetry: true } as const
/** It would be the same again: it is the caller's to mend. */
const neverSent = { written: false, safeToRetry: false } as const

/** What it says of itself, beside its kind. */
export const detailOf = (failure: Failure): string => "detail" in failure ? failure.detail : failure._tag

/** What a dial failed with, for a request that came later and that nothing was dialed for any more. */
export const lastTried = (failure: Failure, ago: number): Failure => {
  if (ago <= 0 || !("detail" in failure)) return failure
  // Of a failure that a face has made a class of, too.
  const facts = Object.fromEntries(Object.entries(failure)) as unknown as typeof failure
  return { ...facts, detail: `${failure.detail} (last tried ${formatMillis(ago)} ago)` }
}

export const poolTimeout = maker("PoolTimeout", inPool)
export const poolClosed = maker("PoolClosed", inPool)
export const poolQueueFull = maker("PoolQueueFull", inPool)
export const connectTimeout = maker("ConnectTimeout", connecting)
export const connectError = maker("ConnectError", connecting)
export const addressNotAllowed = maker("AddressNotAllowed", { phase: "connect", ...neverSent })
export const tlsError = maker("TlsError", connecting)
export const proxyError = maker("ProxyError", {})
export const unsupportedProtocol = maker("UnsupportedProtocol", { phase: "connect", ...neverSent })
export const localProtocolError = maker("LocalProtocolError", { phase: "send", ...neverSent })
export const readTimeout = maker("ReadTimeout", {})
export const readError = maker("ReadError", {})
export const writeTimeout = maker("WriteTimeout", {})
export const writeError = maker("WriteError", {})
export const headersTimeout = maker("HeadersTimeout", {})
export const totalTimeout = maker("TotalTimeout", {})
export const remoteProtocolError = maker("RemoteProtocolError", {})
export const streamReset = maker("StreamReset", {})
export const bodyAbandoned = maker("BodyAbandoned", {})
export const responseTooLarge = maker("ResponseTooLarge", {})
export const requestBodyError = maker("RequestBodyError", {})

/** The same failure for whoever asked for another origin, as where one connection serves several. */
export const about = <F extends Failure>(failure: F, origin: string): F =>
  failure.origin === origin ? failure : Object.create(Object.getPrototypeOf(failure) as object, {
    ...Object.getOwnPropertyDescriptors(failure),
    origin: { value: origin, enumerable: true, configurable: true, writable: true }
  }) as F
