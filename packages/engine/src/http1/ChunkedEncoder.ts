import { invalidName, invalidValue, isFieldValue, isToken } from "./FieldSyntax.js"
import type { ProtocolError } from "./ProtocolError.js"
import { protocolError, quoteText } from "./ProtocolError.js"

/** What goes before the data of a chunk. `length` must not be 0: that would end the content. */
export const chunkHead = (length: number): string => `${length.toString(16)}\r\n`

/** What goes after the data of a chunk. */
export const chunkEnd = "\r\n"

const CR = 0x0d
const LF = 0x0a

/** A chunk in one piece; nothing for no data. */
export const encodeChunk = (data: Uint8Array): Uint8Array => {
  if (data.length === 0) return data
  const sizeLine = chunkHead(data.length)
  const chunk = new Uint8Array(sizeLine.length + data.length + 2)
  for (let i = 0; i < sizeLine.length; i++) chunk[i] = sizeLine.charCodeAt(i)
  chunk.set(data, sizeLine.length)
  chunk[chunk.length - 2] = CR
  chunk[chunk.length - 1] = LF
  return chunk
}

/**
 * Fields that are of use only before the content, for framing, routing, authentication, or for knowing what the content
 * is (RFC 9110 §6.5.1); a server that merged them could be misled.
 */
const notTrailers = new Set([
  "authorization",
  "cache-control",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "max-forwards",
  "proxy-authorization",
  "proxy-connection",
  "range",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

export const checkTrailerName = (name: string): ProtocolError | undefined => {
  if (!isToken(name)) return invalidName(name)
  return notTrailers.has(name.toLowerCase())
    ? protocolError("ForbiddenTrailer", `${quoteText(name)} cannot be a trailer`, "RFC 9110 §6.5.1")
    : undefined
}

/** What is wrong with one of them, if anything is. */
export const checkTrailers = (trailers: Readonly<Record<string, string>>): ProtocolError | undefined => {
  for (const name of Object.keys(trailers)) {
    const value = trailers[name]
    const invalid = checkTrailerName(name)
    if (invalid !== undefined) return invalid
    if (typeof value !== "string" || !isFieldValue(value)) return invalidValue(name)
  }
  return undefined
}

/** The last chunk, the trailers and the end of the message; or what is wrong with a trailer. */
export const encodeLastChunk = (trailers?: Readonly<Record<string, string>>): string | ProtocolError => {
  if (trailers === undefined) return "0\r\n\r\n"
  const invalid = checkTrailers(trailers)
  if (invalid !== undefined) return invalid
  let text = "0\r\n"
  for (const name of Object.keys(trailers)) text += `${name}: ${trailers[name]}\r\n`
  return text + "\r\n"
}
