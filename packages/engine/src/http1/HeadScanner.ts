import * as Characters from "./Characters.js"
import { framesMessage, FramingFields } from "./FramingFields.js"
import { defaultParserLimits, type ParserLimits } from "./ParserLimits.js"
import { Failed, More } from "./Progress.js"
import type { ProtocolError } from "./ProtocolError.js"
import { limitPassed, protocolError, quoteBytes, quoteOctet } from "./ProtocolError.js"

const { CR, LF, SP, HTAB, COLON, ZERO, NINE } = Characters

// What is expected next. The order is that of one line, which is how `scan` walks through them.
const StatusLine = 0
const Reason = 1
const StatusLineFeed = 2
const FieldStart = 3
const FieldName = 4
const ValueStart = 5
const Value = 6
const FieldLineFeed = 7
const FieldEnd = 8
const LastLineFeed = 9

/** SP to the last printable of ASCII: the octets of nearly every value. */
const printable = 0x7e - SP

const versionDigit = 7

/** The status line up to its status code, with -1 for each digit that varies. */
const statusLine = Int16Array.from("HTTP/1.x xxx", (character) => character === "x" ? -1 : character.charCodeAt(0))

/**
 * Scans a response head (status line, fields, empty line) or a trailer section (fields, empty line): validates each octet once and
 * takes note of what frames the message. It stops wherever the input does and goes on from there, so no octet is read
 * twice.
 */
export class HeadScanner {
  status = 0
  minorVersion: 0 | 1 = 1
  reasonEnd = 0
  /** The number of fields. */
  count = 0
  readonly framing = new FramingFields()
  error: ProtocolError | undefined = undefined

  private expected = StatusLine
  private trailers = false
  private maxBytes = 0
  private nameStart = 0
  private nameEnd = 0
  private valueStart = 0
  private limits: ParserLimits = defaultParserLimits

  beginHead(limits: ParserLimits): void {
    this.limits = limits
    this.trailers = false
    this.maxBytes = limits.maxHeaderSize
    this.expected = StatusLine
    this.count = 0
    this.framing.reset()
  }

  beginTrailers(limits: ParserLimits): void {
    this.limits = limits
    this.trailers = true
    this.maxBytes = limits.maxHeaderSize
    this.expected = FieldStart
    this.count = 0
  }

  /**
   * Scans `bytes[from, end)` of a block that starts at `base`; what lies between `base` and `from` has been scanned.
   * Returns the index after the block, or `More`, or `Failed`.
   */
  scan(bytes: Uint8Array, base: number, from: number, end: number): number {
    const token = Characters.TOKEN
    const fieldValue = Characters.FIELD_VALUE
    const stop = Math.min(end, base + this.maxBytes)
    let i = from
    let octet = 0
    let expected = this.expected
    let name = base + this.nameStart
    let nameEnd = base + this.nameEnd
    let value = base + this.valueStart

    // Left wherever the input ends: `expected` says where.
    suspended: {
      if (expected < FieldStart) {
        i = this.scanStatusLine(bytes, base, i, stop)
        if (i < 0) return Failed
        expected = this.expected
        if (expected !== FieldStart) break suspended
      }
      // One round is one field line.
      while (expected !== LastLineFeed) {
        if (expected === FieldStart) {
          if (i >= stop) break suspended
          if (bytes[i] === CR) {
            i++
            expected = LastLineFeed
            break
          }
          name = i
          expected = FieldName
        }
        if (expected === FieldName) {
          for (; i < stop; i++) {
            octet = bytes[i]
            if (token[octet] !== 1) break
          }
          if (i >= stop) break suspended
          if (octet !== COLON || i === name) return this.fail(this.notName(bytes, base, name, i))
          nameEnd = i
          i++
          expected = ValueStart
        }
        if (expected === ValueStart) {
          while (i < stop && isWhitespace(bytes[i])) i++
          if (i >= stop) break suspended
          value = i
          expected = Value
        }
        if (expected === Value) {
          for (; i < stop; i++) {
            octet = bytes[i]
            // Printable ASCII needs no look at the table: a third of the time of the whole scan.
            if (((octet - SP) >>> 0) > printable && fieldValue[octet] !== 1) break
          }
          if (i >= stop) break suspended
          if (octet !== CR) return this.fail(notValue(bytes, base, name, nameEnd, i))
          i++
          expected = FieldLineFeed
        }
        if (expected === FieldLineFeed) {
          if (i >= stop) break suspended
          if (bytes[i] !== LF) return this.fail(bareCarriageReturn(bytes, base, i))
          i++
          expected = FieldEnd
        }
        if (i >= stop) break suspended
        octet = bytes[i]
        if (isWhitespace(octet)) {
          // A folded line goes on here, and spaces replace its end (RFC 9112 §5.2), for whoever reads it later
          // as well.
          bytes[i - 2] = SP
          bytes[i - 1] = SP
          expected = Value
          continue
        }
        const invalid = this.record(bytes, base, name, nameEnd, value, i - 2)
        if (invalid !== undefined) return this.fail(invalid)
        expected = FieldStart
      }
      if (i >= stop) break suspended
      if (bytes[i] !== LF) return this.fail(bareCarriageReturn(bytes, base, i))
      return i + 1
    }

    this.expected = expected
    this.nameStart = name - base
    this.nameEnd = nameEnd - base
    this.valueStart = value - base
    return i - base < this.maxBytes ? More : this.fail(this.tooLarge())
  }

  /** Scans the status line up to `stop` and sets `expected`. Returns the index reached, or `Failed`. */
  private scanStatusLine(bytes: Uint8Array, base: number, from: number, stop: number): number {
    let i = from
    if (this.expected === StatusLine) {
      for (; i < base + statusLine.length; i++) {
        if (i >= stop) return i
        const octet = bytes[i]
        const due = statusLine[i - base]
        const valid = due >= 0
          ? octet === due
          : octet >= ZERO && octet <= (i - base === versionDigit ? ZERO + 1 : NINE)
        if (!valid) return this.fail(notStatusLine(bytes, base, i))
      }
      this.minorVersion = bytes[base + versionDigit] === ZERO ? 0 : 1
      this.status = (bytes[base + 9] - ZERO) * 100 + (bytes[base + 10] - ZERO) * 10 + (bytes[base + 11] - ZERO)
      if (this.status < 100) return this.fail(notStatusLine(bytes, base, i - 1))
      this.expected = Reason
    }
    if (this.expected === Reason) {
      // The space is due even without a reason (RFC 9112 §4), yet many servers leave both away, and nothing but the end
      // of the line can follow then.
      if (i === base + statusLine.length) {
        if (i >= stop) return i
        if (bytes[i] === SP) i++
        else if (bytes[i] !== CR && bytes[i] !== LF) return this.fail(notStatusLine(bytes, base, i))
      }
      while (i < stop && Characters.FIELD_VALUE[bytes[i]] === 1) i++
      if (i >= stop) return i
      if (bytes[i] !== CR) return this.fail(notReason(bytes, base, i))
      this.reasonEnd = i - base
      this.expected = StatusLineFeed
      i++
    }
    if (i >= stop) return i
    if (bytes[i] !== LF) return this.fail(bareCarriageReturn(bytes, base, i))
    this.expected = FieldStart
    return i + 1
  }

  /** Takes note of a field that has been scanned, whose line ends at `lineEnd`. */
  private record(
    bytes: Uint8Array,
    base: number,
    name: number,
    nameEnd: number,
    line: number,
    lineEnd: number
  ): ProtocolError | undefined {
    this.count++
    let value = line
    let valueEnd = lineEnd
    while (valueEnd > value && isWhitespace(bytes[valueEnd - 1])) valueEnd--
    // Whitespace before it has been left out already, but for that of a fold.
    while (value < valueEnd && isWhitespace(bytes[value])) value++
    if (!this.trailers) return this.framing.field(bytes, base, name, nameEnd, value, valueEnd)
    return framesMessage(bytes, name, nameEnd)
      ? protocolError(
        "ForbiddenTrailer",
        `The trailer ${quoteBytes(bytes, name, nameEnd)} would frame the message that it ends`,
        "RFC 9110 §6.5.1"
      )
      : undefined
  }

  private fail(why: ProtocolError): number {
    this.error = why
    return Failed
  }

  private tooLarge(): ProtocolError {
    return this.trailers
      ? limitPassed("TrailersTooLarge", "The trailers are too large", "RFC 9110 §5.4", this.limits, "maxHeaderSize")
      : limitPassed("HeadTooLarge", "The response head is too large", "RFC 9110 §5.4", this.limits, "maxHeaderSize")
  }

  private notName(bytes: Uint8Array, base: number, line: number, at: number): ProtocolError {
    const octet = bytes[at]
    const found = quoteBytes(bytes, line, at + 1)
    if (isWhitespace(octet)) {
      if (at > line) {
        return protocolError("InvalidHeaderName", `Whitespace before the colon of a field: ${found}`, "RFC 9112 §5.1")
      }
      return this.trailers
        ? protocolError("ObsoleteLineFolding", "The first trailer begins with whitespace", "RFC 9112 §5.2")
        : protocolError("InvalidHeaderName", "Whitespace before the first field", "RFC 9112 §2.2")
    }
    if (octet === LF && at === line) return bareLineFeed(bytes, base, at)
    if (octet === CR || octet === LF) {
      return protocolError("InvalidHeaderName", `A field line has no colon: ${found}`, "RFC 9112 §5")
    }
    return octet === COLON
      ? protocolError("InvalidHeaderName", "A field has an empty name", "RFC 9110 §5.1")
      : protocolError("InvalidHeaderName", `${quoteOctet(octet)} in the name of a field: ${found}`, "RFC 9110 §5.1")
  }
}

const isWhitespace = (octet: number): boolean => octet === SP || octet === HTAB

const notStatusLine = (bytes: Uint8Array, base: number, at: number): ProtocolError => {
  const found = quoteBytes(bytes, base, at + 1)
  const position = at - base
  if (position >= 5 && position <= 7 && bytes[at] >= ZERO && bytes[at] <= NINE) {
    return protocolError(
      "UnsupportedVersion",
      `The version is neither HTTP/1.0 nor HTTP/1.1: ${found}`,
      "RFC 9112 §2.3"
    )
  }
  return position >= 9 && position <= 11
    ? protocolError("InvalidStatusLine", `The status code is not a number from 100: ${found}`, "RFC 9110 §15")
    : protocolError("InvalidStatusLine", `Not the status line of an HTTP/1 response: ${found}`, "RFC 9112 §4")
}

const notValue = (
  bytes: Uint8Array,
  base: number,
  name: number,
  nameEnd: number,
  at: number
): ProtocolError =>
  bytes[at] === LF
    ? bareLineFeed(bytes, base, at)
    : protocolError(
      "InvalidHeaderValue",
      `${quoteOctet(bytes[at])} in the value of ${quoteBytes(bytes, name, nameEnd)}`,
      "RFC 9110 §5.5"
    )

const notReason = (bytes: Uint8Array, base: number, at: number): ProtocolError =>
  bytes[at] === LF
    ? bareLineFeed(bytes, base, at)
    : protocolError("InvalidStatusLine", `${quoteOctet(bytes[at])} in the reason phrase`, "RFC 9112 §4")

const bareLineFeed = (bytes: Uint8Array, base: number, at: number): ProtocolError =>
  protocolError("InvalidLineEnd", `A line ends in LF without CR: ${quoteBytes(bytes, base, at + 1)}`, "RFC 9112 §2.2")

const bareCarriageReturn = (bytes: Uint8Array, base: number, at: number): ProtocolError =>
  protocolError("InvalidLineEnd", `CR without LF: ${quoteBytes(bytes, base, at + 1)}`, "RFC 9112 §2.2")
