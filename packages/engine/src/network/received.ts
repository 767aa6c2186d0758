import { continued } from "../format.js"
import { type ProtocolError, quoteStart } from "../http1/index.js"
import { type Instead, instead, insteadOfHttp2, startsAsHttp1 } from "./otherProtocols.js"

/** What came at once where the head of a response was due, for whoever has to find out what speaks there. */
export interface Received {
  /** Quoted. */
  readonly received?: string | undefined
  readonly spoken?: Instead | undefined
}

const name = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]*[\s\S]?/
const field = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:/

/**
 * The parser quotes what it has read up to what is wrong, which is the same however the bytes were cut: for a server of
 * something else that is its first letter. What came with it says more. Of what looks like HTTP it is the status line,
 * or the name of the field, since values are nobody's to see.
 */
export const receivedInstead = (
  error: ProtocolError,
  bytes: Uint8Array,
  length: number,
  isReused: boolean
): Received => {
  const spoken = instead(bytes, length)
  switch (error.code) {
    case "InvalidStatusLine":
    case "UnsupportedVersion":
      // What comes after a response may be the rest of it, and that is another's.
      return isReused && spoken === undefined && !startsAsHttp1(bytes)
        ? { spoken }
        : { received: quotedStart(bytes, length), spoken }
    case "InvalidHeaderName":
      return { received: quotedName(bytes, length), spoken }
    default:
      return { spoken }
  }
}

/** What is wrong with the head of the first response, and what seems to speak there. */
export const describeInstead = (error: ProtocolError, bytes: Uint8Array, length: number): string => {
  const { received, spoken } = receivedInstead(error, bytes, length, false)
  const found = received === undefined ? error.message : `${error.message}, in ${received}`
  return spoken === undefined ? found : `${spoken.hint} (${continued(found)})`
}

/** What came instead of HTTP/2's SETTINGS. */
export const receivedInsteadOfHttp2 = (bytes: Uint8Array): Received => ({
  received: quotedStart(bytes, bytes.length),
  spoken: insteadOfHttp2(bytes, bytes.length)
})

const quotedStart = (bytes: Uint8Array, length: number): string =>
  quoteStart(bytes, 0, startsAsHttp1(bytes) ? lineEnd(bytes, 0, length) : length)

const lineEnd = (bytes: Uint8Array, from: number, length: number): number => {
  const end = bytes.subarray(0, length).indexOf(lineFeed, from)
  return end < 0 ? length : bytes[end - 1] === carriageReturn ? end - 1 : end
}

const lineFeed = 10
const carriageReturn = 13

/** Of the first line that is no field. */
const quotedName = (bytes: Uint8Array, length: number): string | undefined => {
  let start = startsAsHttp1(bytes) ? nextLine(bytes, 0, length) : 0
  while (start < length) {
    const end = lineEnd(bytes, start, length)
    const line = String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 256)))
    // Up to what is no name any more: what follows may be a value.
    if (!field.test(line)) return quoteStart(bytes, start, Math.min(end, start + name.exec(line)![0].length))
    start = nextLine(bytes, start, length)
  }
  return undefined
}

const nextLine = (bytes: Uint8Array, from: number, length: number): number => {
  const end = bytes.subarray(0, length).indexOf(lineFeed, from)
  return end < 0 ? length : end + 1
}
