import * as Characters from "./Characters.js"
import type { ProtocolError } from "./ProtocolError.js"
import { protocolError, quoteText } from "./ProtocolError.js"

/** Whether the text is a token (RFC 9110 §5.6.2): a method, the name of a field. */
export const isToken = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    // Beyond the table there is `undefined`.
    if (Characters.TOKEN[text.charCodeAt(i)] !== 1) return false
  }
  return text.length > 0
}

/** What cannot stand in a field value: controls but HTAB, and whatever is not one octet. */
const unfit = /[^\t\x20-\x7e\x80-\xff]/

export const isFieldValue = (value: string): boolean => !unfit.test(value)

/** What was meant for a token, up to what is none of its characters: what follows may be the value, and so a secret. */
export const quoteToken = (text: string): string => {
  let end = 0
  while (end < text.length && Characters.TOKEN[text.charCodeAt(end)] === 1) end++
  return end + 1 < text.length ? `${quoteText(text.slice(0, end + 1)).slice(0, -1)}…"` : quoteText(text)
}

export const invalidName = (name: string): ProtocolError =>
  protocolError("InvalidHeaderName", `The header name ${quoteToken(name)} is not a token`, "RFC 9110 §5.1")

/** The value is not quoted: it may be a secret, and messages are logged. */
export const invalidValue = (name: string): ProtocolError =>
  protocolError(
    "InvalidHeaderValue",
    `The value of ${quoteText(name)} is not a string of latin1 without control characters`,
    "RFC 9110 §5.5"
  )
