/**
 * What the server reports as it happens, for a log.
 *
 * @since 0.1.0
 */
import type { ReceivedRequest } from "./ReceivedRequest.js"

/**
 * `Ended` comes once for each request: it was responded to, the client left before the response was complete, or the script
 * broke it off. `ScriptError` says what is wrong with the script. `Malformed` and `TlsFailed` say in words what a client sent that could not be understood, or why a
 * handshake failed.
 *
 * @since 0.1.0
 * @category models
 */
export type ServerEvent =
  | {
    readonly _tag: "Ended"
    readonly request: ReceivedRequest
    readonly outcome: "completed" | "abandoned" | "broken off"
    /** Undefined if no head was sent. */
    readonly status: number | undefined
    /** Bytes of body that were sent, without framing. */
    readonly bodyBytesSent: number
    /** Real time since the head of the request came. */
    readonly milliseconds: number
  }
  | { readonly _tag: "Malformed"; readonly reason: string }
  | { readonly _tag: "TlsFailed"; readonly reason: string }
  | { readonly _tag: "ScriptError"; readonly reason: string }
