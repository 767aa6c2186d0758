import type { ProxyError } from "../Failure.js"

/** Why a proxy opened no tunnel. */
export type ProxyFailureReason = ProxyError["reason"]

export interface ProxyFailure {
  readonly reason: ProxyFailureReason
  readonly detail: string
  /** The status of its response to CONNECT. */
  readonly status?: number | undefined
  /** The first KiB of what came with it. */
  readonly body?: string | undefined
  /** The code of its SOCKS reply. */
  readonly code?: number | undefined
}

/** What is to be done after bytes of the proxy. */
export type HandshakeStep =
  | { readonly _tag: "Continue" }
  | { readonly _tag: "Write"; readonly bytes: string | Uint8Array }
  /** From here on it is the origin that is spoken to. */
  | { readonly _tag: "Opened" }
  /** It has refused; what comes with that may follow. After a moment `finish` is due. */
  | { readonly _tag: "Refused" }
  | { readonly _tag: "Failed"; readonly failure: ProxyFailure }

/** What is said to a proxy until it has opened a tunnel, and what it says: bytes in, steps out. */
export interface Handshake {
  /** The first step. */
  begin(): HandshakeStep
  /** The bytes are valid during the call only. */
  receive(bytes: Uint8Array, length: number): HandshakeStep
  /** Nothing more comes, or is waited for. */
  finish(): ProxyFailure
}

export const goOn: HandshakeStep = { _tag: "Continue" }
export const opened: HandshakeStep = { _tag: "Opened" }

export const failed = (
  reason: ProxyFailureReason,
  detail: string,
  facts: Omit<ProxyFailure, "reason" | "detail"> = {}
): HandshakeStep => ({ _tag: "Failed", failure: { ...facts, reason, detail } })

/** In a tunnel it is always we who speak first. */
export const unasked = failed("Protocol", "it sent bytes that nobody asked for behind its consent")
