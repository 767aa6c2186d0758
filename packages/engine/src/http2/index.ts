/**
 * The HTTP/2 engine, for authors of a driver: bytes in, events out; requests out as bytes. It does no I/O, keeps no time,
 * depends on no runtime and throws nothing. Applications have no use for it.
 */
export { BufferedBytes } from "./BufferedBytes.js"
export { ErrorCode, errorCodeName } from "./ErrorCode.js"
export type { Failure, GoAway, LocalError, Retry, StreamFailure } from "./Failure.js"
export type { ProtocolError, ProtocolErrorCode } from "./ProtocolError.js"
export { Session } from "./Session.js"
export type { SessionState } from "./Session.js"
export type { SessionHost } from "./SessionHost.js"
export { defaultSessionOptions } from "./SessionOptions.js"
export type { SessionOptions } from "./SessionOptions.js"
export type { Stream, StreamState } from "./Stream.js"
export type { ResponseHead, StreamReceiver, StreamRequest, StreamRequestBody } from "./StreamRequest.js"
