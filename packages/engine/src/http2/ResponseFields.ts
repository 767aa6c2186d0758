import { ErrorCode } from "./ErrorCode.js"
import { hasUpperCase, isFieldName, isFieldValue, quoteText, trim } from "./FieldSyntax.js"
import type { HeaderField } from "./hpack/HeaderField.js"
import { type ProtocolError, type ProtocolErrorCode, streamError } from "./ProtocolError.js"
import type { ResponseHead } from "./StreamRequest.js"

/** What a field is, found out once for each entry of a table. */
const Plain = 1
const Status = 2
const ContentLength = 3
const UnknownPseudo = 4
const ConnectionSpecific = 5
const UpperCaseName = 6
const InvalidName = 7
const InvalidValue = 8

const connectionSpecific = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"])

const threeDigits = /^[1-9][0-9][0-9]$/
const digits = /^[0-9]+$/

/**
 * The head of a response, or why its header section is malformed (RFC 9113 §8.1.1). Values that have blanks around them
 * are taken without: senders must not send them so (§8.2.1), recipients trim (RFC 9110 §5.5).
 */
export const responseHead = (fields: ReadonlyArray<HeaderField>): ResponseHead | ProtocolError => {
  let status = 0
  let contentLength: number | undefined = undefined
  const rawHeaders: Array<string> = []
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]
    switch (field.kind === 0 ? classify(field) : field.kind) {
      case Status:
        if (status !== 0) return malformed("RepeatedStatus", "the response has two :status fields", "8.3")
        if (rawHeaders.length > 0) return misplaced(field)
        if (!threeDigits.test(field.value)) {
          return malformed("InvalidStatus", `:status is ${quoteText(field.value)}, not three digits`, "8.3.2")
        }
        status = Number(field.value)
        break
      case Plain:
        rawHeaders.push(field.name, field.text)
        break
      case ContentLength:
        if (contentLength !== undefined) {
          return malformed("RepeatedContentLength", "the response has more than one content-length", "8.1.1")
        }
        contentLength = lengthOf(field.text)
        if (contentLength < 0) return invalidLength(field)
        rawHeaders.push(field.name, field.text)
        break
      default:
        return invalidField(field)
    }
  }
  if (status === 0) return malformed("MissingStatus", "the response has no :status", "8.3.2")
  // There is no other protocol to switch to (§8.6).
  if (status === 101) return malformed("InvalidStatus", ":status is 101, which HTTP/2 does not have", "8.6")
  return { status, rawHeaders, contentLength }
}

/** Trailers, flat; or why they are malformed. */
export const responseTrailers = (fields: ReadonlyArray<HeaderField>): ReadonlyArray<string> | ProtocolError => {
  const trailers: Array<string> = []
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]
    switch (field.kind === 0 ? classify(field) : field.kind) {
      case Plain:
        trailers.push(field.name, field.text)
        break
      case Status:
        return malformed("InvalidPseudoField", "the trailers have a :status field", "8.1")
      case ContentLength:
        return malformed("ForbiddenTrailer", "the trailers have content-length", "8.1.1")
      default:
        return invalidField(field)
    }
  }
  return trailers
}

const classify = (field: HeaderField): number => {
  field.text = trim(field.value)
  return field.kind = kindOf(field.name, field.text)
}

const kindOf = (name: string, value: string): number => {
  if (name.charCodeAt(0) === 0x3a) return name === ":status" ? Status : UnknownPseudo
  if (!isFieldName(name)) return hasUpperCase(name) ? UpperCaseName : InvalidName
  if (!isFieldValue(value)) return InvalidValue
  if (name === "content-length") return ContentLength
  return connectionSpecific.has(name) ? ConnectionSpecific : Plain
}

const invalidField = ({ kind, name }: HeaderField): ProtocolError => {
  switch (kind) {
    case UnknownPseudo:
      return malformed("InvalidPseudoField", `the response has the pseudo field ${quoteText(name)}`, "8.3")
    case ConnectionSpecific:
      return malformed("ConnectionSpecificField", `the response has ${name}, which belongs to HTTP/1.1`, "8.2.2")
    case UpperCaseName:
      return malformed("InvalidHeaderName", `the header name ${quoteText(name)} has upper case letters`, "8.2.1")
    case InvalidName:
      return malformed("InvalidHeaderName", `the header name ${quoteText(name)} is not a token`, "8.2.1")
    default:
      // The value is not quoted: it may be a secret.
      return malformed("InvalidHeaderValue", `the value of ${quoteText(name)} holds a control character`, "8.2.1")
  }
}

const misplaced = ({ name }: HeaderField): ProtocolError =>
  malformed("InvalidPseudoField", `the pseudo field ${name} comes after other fields`, "8.3")

/** -1 for what is no length, or none that can be counted exactly. */
const lengthOf = (text: string): number => {
  if (!digits.test(text)) return -1
  const length = Number(text)
  return Number.isSafeInteger(length) ? length : -1
}

const invalidLength = ({ text }: HeaderField): ProtocolError =>
  malformed("InvalidContentLength", `content-length is ${quoteText(text)}, not a number that can be counted`, "8.1.1")

/** A malformed message is an error of its stream (RFC 9113 §8.1.1). */
export const malformed = (code: ProtocolErrorCode, detail: string, section: string): ProtocolError =>
  streamError(code, ErrorCode.PROTOCOL_ERROR, detail, `RFC 9113 §${section}`)
