import type { Failure } from "./Failure.js"

/** How deep causes are looked into. */
const depth = 4

/**
 * The code that other clients have on such an error: that of the system or of OpenSSL underneath, as `ECONNREFUSED` or
 * `CERT_HAS_EXPIRED`; `ECONNRESET` for a connection that ended too early, and `ETIMEDOUT` for one that took too long.
 */
export const failureCode = (failure: Failure): string | undefined => {
  switch (failure._tag) {
    case "ConnectError":
    case "TlsError":
      return codeOf(failure)
    case "ReadError":
    case "WriteError":
      return codeOf(failure) ?? "ECONNRESET"
    case "ConnectTimeout":
    case "HeadersTimeout":
    case "ReadTimeout":
    case "TotalTimeout":
    case "WriteTimeout":
      return "ETIMEDOUT"
    default:
      return undefined
  }
}

const codeOf = (failure: object): string | undefined => {
  let cause: unknown = "cause" in failure ? failure.cause : undefined
  for (let left = depth; left > 0 && typeof cause === "object" && cause !== null; left--) {
    if ("code" in cause && typeof cause.code === "string") return cause.code
    cause = "cause" in cause ? cause.cause : undefined
  }
  return undefined
}
