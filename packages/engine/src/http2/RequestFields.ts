import type { LocalError } from "./Failure.js"
import {
  isAuthority,
  isFieldName,
  isFieldValue,
  isTarget,
  isToken,
  quoteText,
  quoteToken,
  trim
} from "./FieldSyntax.js"
import type { StreamRequest } from "./StreamRequest.js"

const Plain = 1
/** It belongs to a connection of HTTP/1.1 and must not be sent (RFC 9113 §8.2.2). */
const ConnectionSpecific = 2
const Connection = 3
const Host = 4
const ContentLength = 5
const Te = 6
const Cookie = 7

const controls: ReadonlyArray<readonly [string, number]> = [
  ["connection", Connection],
  ["keep-alive", ConnectionSpecific],
  ["proxy-connection", ConnectionSpecific],
  ["transfer-encoding", ConnectionSpecific],
  ["upgrade", ConnectionSpecific],
  ["http2-settings", ConnectionSpecific],
  ["host", Host],
  ["content-length", ContentLength],
  ["te", Te],
  ["cookie", Cookie]
]

/** Programs use few names; looking one up is cheaper than checking it again. Bounded, for some make names up. */
const knownNames = new Map<string, number>(controls)
const maxKnownNames = 1024
const maxKnownLength = 64

/**
 * Fields that are meant for all who receive the message: a Connection field must not name them (RFC 9110 §7.6.1), for
 * then they would have to be left out.
 */
const endToEnd = new Set([
  "accept",
  "accept-charset",
  "accept-encoding",
  "accept-language",
  "authorization",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-range",
  "content-type",
  "cookie",
  "date",
  "expect",
  "from",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "origin",
  "priority",
  "proxy-authorization",
  "range",
  "referer",
  "trailer",
  "user-agent",
  "via"
])

/** As much as HTTP/1.1 lets through, counted as RFC 9113 §6.5.2 does. The server has its own limit. */
export const maxRequestHeadBytes = 2 ** 20

const fieldOverhead = 32

/**
 * The header section of a request, flat: name, value, name, value, …, pseudo fields first; or what is wrong with it, and
 * then nothing may be sent. What was asked for is sent or refused: nothing is left out but what HTTP/2 forbids.
 */
export const requestFields = (request: StreamRequest): Array<string> | LocalError => {
  const { headers, method } = request
  const fields = pseudoFields(request)
  if (!Array.isArray(fields)) return fields
  const length = bodyLength(request)
  let options: ReadonlyArray<string> | undefined = undefined
  const names = Object.keys(headers)
  for (let i = 0; i < names.length; i++) {
    const name = names[i]
    const value = headers[name]
    const kind = kindOf(name)
    if (kind === 0) {
      return invalid(
        "InvalidHeader",
        `the header name ${quoteToken(name)} is not a token in lower case`,
        "RFC 9113 §8.2.1"
      )
    }
    if (typeof value !== "string" || !isFieldValue(value)) {
      return invalid(
        "InvalidHeader",
        `the value of ${name} is not a string of latin1 without control characters`,
        "RFC 9110 §5.5"
      )
    }
    switch (kind) {
      case Plain:
        fields.push(name, trim(value))
        break
      case Connection:
        options = optionsOf(value)
        break
      case Host:
        if (trim(value).toLowerCase() !== request.origin.authority.toLowerCase()) {
          // Another name for the server at that address, as through a forwarded port.
          if (method === "CONNECT" || !isAuthority(trim(value))) {
            return invalid(
              "InvalidHeader",
              "the header host is not " + (method === "CONNECT"
                ? `the one that the request is for, ${quoteText(request.origin.authority)}`
                : "one host with an optional port"),
              "RFC 9113 §8.3.1"
            )
          }
          fields[fields.indexOf(":authority") + 1] = trim(value)
        }
        break
      case ContentLength:
        if (trim(value) !== String(length ?? 0) || (length === undefined && request.body._tag === "Chunks")) {
          return invalid(
            "InvalidBody",
            `content-length is ${quoteText(value)}, but not the length of the body`,
            "RFC 9113 §8.1.1"
          )
        }
        break
      case Te:
        // Nothing else may be said (RFC 9113 §8.2.2), and nobody needs to know what else could be taken.
        if (value.toLowerCase().split(",").some((coding) => coding.trim() === "trailers")) fields.push("te", "trailers")
        break
      case Cookie:
        pushCookies(fields, value)
        break
    }
  }
  if (length !== undefined && method !== "CONNECT") fields.push("content-length", String(length))
  if (options !== undefined) {
    const forbidden = options.find((option) => endToEnd.has(option))
    if (forbidden !== undefined) {
      return invalid(
        "InvalidHeader",
        `the header connection names ${forbidden}, which is not about the connection`,
        "RFC 9110 §7.6.1"
      )
    }
    return checkSize(without(fields, options))
  }
  return checkSize(fields)
}

/** The trailers of a request, flat; or what is wrong with them. Their names are written by users, in any case. */
export const trailerFields = (trailers: Readonly<Record<string, string>>): Array<string> | LocalError => {
  const fields: Array<string> = []
  for (const given of Object.keys(trailers)) {
    const name = given.toLowerCase()
    const value = trailers[given]
    if (!isFieldName(name) || typeof value !== "string" || !isFieldValue(value)) {
      return invalid("InvalidTrailer", `the trailer ${quoteToken(given)} is no field`, "RFC 9110 §5.1")
    }
    if (notTrailers.has(name) || (knownNames.get(name) ?? Plain) !== Plain) {
      return invalid("InvalidTrailer", `${quoteText(given)} cannot be a trailer`, "RFC 9110 §6.5.1")
    }
    fields.push(name, trim(value))
  }
  return fields
}

/** Of use only before the content (RFC 9110 §6.5.1), beside those that the encoder has a say in. */
const notTrailers = new Set([
  "authorization",
  "cache-control",
  "content-encoding",
  "content-range",
  "content-type",
  "expect",
  "max-forwards",
  "proxy-authorization",
  "range",
  "trailer"
])

const pseudoFields = (request: StreamRequest): Array<string> | LocalError => {
  const { method, origin, protocol, target } = request
  if (method !== "GET" && !isToken(method)) {
    return invalid("InvalidMethod", `the method ${quoteToken(method)} is not a token`, "RFC 9110 §9.1")
  }
  if (!isTarget(target)) return invalid("InvalidTarget", "the target holds what no URL can", "RFC 9110 §7.1")
  if (protocol !== undefined) {
    return method === "CONNECT" && isToken(protocol)
      ? [
        ":method",
        method,
        ":protocol",
        protocol,
        ":scheme",
        origin.scheme,
        ":authority",
        origin.authority,
        ":path",
        target
      ]
      : invalid("InvalidMethod", "a protocol goes with CONNECT, and is a token", "RFC 8441 §4")
  }
  if (method === "CONNECT") return [":method", method, ":authority", target]
  if (target !== "*" && !target.startsWith("/")) {
    return invalid("InvalidTarget", `the target does not begin with a slash`, "RFC 9113 §8.3.1")
  }
  return [":method", method, ":scheme", origin.scheme, ":authority", origin.authority, ":path", target]
}

const kindOf = (name: string): number => {
  const known = knownNames.get(name)
  if (known !== undefined) return known
  if (!isFieldName(name)) return 0
  if (knownNames.size < maxKnownNames && name.length <= maxKnownLength) knownNames.set(name, Plain)
  return Plain
}

/** In crumbs, those that stay the same are compressed (RFC 9113 §8.2.3). */
const pushCookies = (fields: Array<string>, value: string): void => {
  if (!value.includes(";")) {
    fields.push("cookie", trim(value))
    return
  }
  for (const crumb of value.split(";")) {
    const trimmed = trim(crumb)
    if (trimmed !== "") fields.push("cookie", trimmed)
  }
}

const optionsOf = (value: string): ReadonlyArray<string> =>
  value.toLowerCase().split(",").map((option) => option.trim()).filter((option) => option !== "")

/** The fields that are about the connection stay on this side of it (RFC 9110 §7.6.1). */
const without = (fields: ReadonlyArray<string>, options: ReadonlyArray<string>): Array<string> => {
  const kept: Array<string> = []
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i].startsWith(":") || !options.includes(fields[i])) kept.push(fields[i], fields[i + 1])
  }
  return kept
}

const bodyLength = ({ body }: StreamRequest): number | undefined => {
  switch (body._tag) {
    case "None":
      return undefined
    case "Bytes":
      return body.bytes.length
    case "Chunks":
      return body.length
  }
}

const checkSize = (fields: Array<string>): Array<string> | LocalError => {
  let size = (fieldOverhead / 2) * fields.length
  for (let i = 0; i < fields.length; i++) size += fields[i].length
  return size <= maxRequestHeadBytes
    ? fields
    : invalid("InvalidHeader", `the head is ${size} bytes, more than ${maxRequestHeadBytes}`, "RFC 9113 §10.5.1")
}

const invalid = (reason: LocalError["reason"], detail: string, section: string): LocalError => ({
  _tag: "LocalError",
  reason,
  detail,
  section
})
