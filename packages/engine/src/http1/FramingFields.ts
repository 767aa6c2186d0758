import * as Characters from "./Characters.js"
import type { ProtocolError } from "./ProtocolError.js"
import { protocolError, quoteBytes } from "./ProtocolError.js"

const connection = Characters.ascii("connection")
const contentEncoding = Characters.ascii("content-encoding")
const contentLength = Characters.ascii("content-length")
const keepAlive = Characters.ascii("keep-alive")
const proxyConnection = Characters.ascii("proxy-connection")
const transferEncoding = Characters.ascii("transfer-encoding")
const upgrade = Characters.ascii("upgrade")
const chunked = Characters.ascii("chunked")
const close = Characters.ascii("close")

/**
 * What one header section says about framing and about the connection, taken from the octets while they are scanned:
 * these few are recognised by the length of their name, so that no field needs to become a string.
 */
export class FramingFields {
  /** -1 if there is none. */
  contentLength = -1
  transferEncoding: "none" | "chunked" | "other" = "none"
  /** It says more than `chunked`: whoever stands between may frame the message otherwise. */
  isUnusualEncoding = false
  /** Connection options. */
  close = false
  keepAlive = false
  upgradeOption = false
  /** An Upgrade field that names something. */
  upgrade = false
  /** There is a Content-Encoding. It frames nothing; but nobody is to read all fields of a head to know. */
  isCoded = false
  /** Where the value of the first Keep-Alive field is, counted from the start of the block; or -1. */
  keepAliveStart = -1
  keepAliveEnd = -1

  reset(): void {
    this.contentLength = -1
    this.transferEncoding = "none"
    this.isUnusualEncoding = false
    this.close = false
    this.keepAlive = false
    this.upgradeOption = false
    this.upgrade = false
    this.isCoded = false
    this.keepAliveStart = -1
  }

  /** Takes note of a field of the block at `base`, whose name has passed as a token and whose value is trimmed. */
  field(
    bytes: Uint8Array,
    base: number,
    name: number,
    nameEnd: number,
    value: number,
    valueEnd: number
  ): ProtocolError | undefined {
    switch (nameEnd - name) {
      case 7:
        if (value < valueEnd && Characters.equalsIgnoringCase(bytes, name, nameEnd, upgrade)) this.upgrade = true
        return undefined
      case 10:
        if (Characters.equalsIgnoringCase(bytes, name, nameEnd, connection)) {
          this.readConnection(bytes, value, valueEnd)
        } else if (this.keepAliveStart < 0 && Characters.equalsIgnoringCase(bytes, name, nameEnd, keepAlive)) {
          this.keepAliveStart = value - base
          this.keepAliveEnd = valueEnd - base
        }
        return undefined
      case 14:
        return Characters.equalsIgnoringCase(bytes, name, nameEnd, contentLength)
          ? this.readContentLength(bytes, value, valueEnd)
          : undefined
      case 16:
        // A field that never was of the protocol (RFC 9112 §C.2.2). What it says of closing is taken at its word, for
        // that can only be too careful; what it says of keeping alive is not.
        if (Characters.equalsIgnoringCase(bytes, name, nameEnd, proxyConnection)) {
          const kept = this.keepAlive
          this.readConnection(bytes, value, valueEnd)
          this.keepAlive = kept
        } else if (Characters.equalsIgnoringCase(bytes, name, nameEnd, contentEncoding)) {
          this.isCoded = true
        }
        return undefined
      case 17:
        if (Characters.equalsIgnoringCase(bytes, name, nameEnd, transferEncoding)) {
          this.readTransferEncoding(bytes, value, valueEnd)
        }
        return undefined
      default:
        return undefined
    }
  }

  /** What is wrong with these fields together, in the response head of a response with or without content. */
  check(status: number, minorVersion: 0 | 1, hasContent: boolean): ProtocolError | undefined {
    if (this.transferEncoding !== "none") {
      // RFC 9112 §6.3 calls this an attempt at response splitting that ought to be handled as an error.
      if (this.contentLength >= 0) {
        return protocolError(
          "ConflictingFraming",
          "The response has Content-Length and Transfer-Encoding",
          "RFC 9112 §6.3"
        )
      }
      if (minorVersion === 0) {
        return protocolError("InvalidTransferEncoding", "An HTTP/1.0 response has Transfer-Encoding", "RFC 9112 §6.1")
      }
      if (hasContent && this.transferEncoding === "other") {
        return protocolError(
          "InvalidTransferEncoding",
          "Transfer-Encoding is not chunked alone, the only one that may be sent without being asked for",
          "RFC 9112 §7.4"
        )
      }
    }
    return status === 101 && !(this.upgrade && this.upgradeOption)
      ? protocolError("InvalidUpgrade", "101 without Upgrade and Connection: upgrade", "RFC 9110 §7.8")
      : undefined
  }

  private readContentLength(bytes: Uint8Array, start: number, end: number): ProtocolError | undefined {
    // RFC 9112 §6.3 lets a recipient accept a list of equal values. llhttp does not, and no honest server sends one.
    if (this.contentLength >= 0) {
      return protocolError(
        "RepeatedContentLength",
        `The response has more than one Content-Length: ${this.contentLength} and ${quoteBytes(bytes, start, end)}`,
        "RFC 9112 §6.3"
      )
    }
    let length = 0
    for (let i = start; i < end; i++) {
      const digit = bytes[i] - Characters.ZERO
      if (digit < 0 || digit > 9) return invalidLength(bytes, start, end)
      length = length * 10 + digit
      if (length > Number.MAX_SAFE_INTEGER) {
        return protocolError(
          "ContentLengthTooLarge",
          `Content-Length ${quoteBytes(bytes, start, end)} is more than can be counted exactly`,
          "RFC 9110 §8.6"
        )
      }
    }
    if (start === end) return invalidLength(bytes, start, end)
    this.contentLength = length
    return undefined
  }

  /** Lines make one list; anything but `chunked`, alone and once, is another coding. */
  private readTransferEncoding(bytes: Uint8Array, start: number, end: number): void {
    this.eachElement(bytes, start, end, this.takeCoding)
    this.isUnusualEncoding ||= end - start !== chunked.length
    // A list of nothing frames nothing; whoever sent it may think otherwise.
    if (this.transferEncoding === "none") this.transferEncoding = "other"
  }

  private takeCoding(bytes: Uint8Array, start: number, end: number): void {
    const isFirst = this.transferEncoding === "none"
    this.transferEncoding = isFirst && Characters.equalsIgnoringCase(bytes, start, end, chunked) ? "chunked" : "other"
  }

  private readConnection(bytes: Uint8Array, start: number, end: number): void {
    this.eachElement(bytes, start, end, this.takeOption)
  }

  private takeOption(bytes: Uint8Array, start: number, end: number): void {
    if (Characters.equalsIgnoringCase(bytes, start, end, close)) this.close = true
    else if (Characters.equalsIgnoringCase(bytes, start, end, keepAlive)) this.keepAlive = true
    else if (Characters.equalsIgnoringCase(bytes, start, end, upgrade)) this.upgradeOption = true
  }

  /** The elements of a list (RFC 9110 §5.6.1), without whitespace around them; empty ones are none (§5.6.1.2). */
  private eachElement(
    bytes: Uint8Array,
    start: number,
    end: number,
    take: (this: FramingFields, bytes: Uint8Array, start: number, end: number) => void
  ): void {
    let at = start
    while (at < end) {
      let comma = at
      while (comma < end && bytes[comma] !== Characters.COMMA) comma++
      let from = at
      while (from < comma && isWhitespace(bytes[from])) from++
      let to = comma
      while (to > from && isWhitespace(bytes[to - 1])) to--
      if (from < to) take.call(this, bytes, from, to)
      at = comma + 1
    }
  }
}

/** Whether a trailer field is one that would frame the message: it comes too late for that. */
export const framesMessage = (bytes: Uint8Array, name: number, nameEnd: number): boolean =>
  Characters.equalsIgnoringCase(bytes, name, nameEnd, contentLength) ||
  Characters.equalsIgnoringCase(bytes, name, nameEnd, transferEncoding)

const isWhitespace = (octet: number): boolean => octet === Characters.SP || octet === Characters.HTAB

const invalidLength = (bytes: Uint8Array, start: number, end: number): ProtocolError =>
  protocolError(
    "InvalidContentLength",
    `Content-Length ${quoteBytes(bytes, start, end)} is not a decimal number`,
    "RFC 9112 §6.3"
  )
