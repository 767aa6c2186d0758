import type { OutgoingHttpHeaders } from "node:http2"
import type { ExchangeHead, ExchangeRequest } from "../Connection.js"
import * as Failure from "../Failure.js"

const Plain = 1
/** It belongs to a connection of HTTP/1.1 and must not be sent (RFC 9113 §8.2.2). */
const Forbidden = 2
const Connection = 3
const Host = 4
const ContentLength = 5
const Te = 6
const Cookie = 7

const controls: ReadonlyArray<readonly [string, number]> = [
  ["connection", Connection],
  ["keep-alive", Forbidden],
  ["proxy-connection", Forbidden],
  ["transfer-encoding", Forbidden],
  ["upgrade", Forbidden],
  ["http2-settings", Forbidden],
  ["host", Host],
  ["content-length", ContentLength],
  ["te", Te],
  ["cookie", Cookie]
]

/** Programs use few names; looking one up is cheaper than checking it again. */
const knownNames = new Map<string, number>(controls)
const maxKnownNames = 1024

const token = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const methodToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const unfitForTarget = /[^\x21-\x7e\x80-\xff]/
const unfitForValue = /[^\t\x20-\x7e\x80-\xff]/

const kindOf = (name: string): number => {
  const known = knownNames.get(name)
  if (known !== undefined) return known
  if (!token.test(name)) return 0
  if (knownNames.size < maxKnownNames) knownNames.set(name, Plain)
  return Plain
}

/** The fields of a request, as `node:http2` takes them; or what is wrong with it, and then nothing may be sent. */
export const encode = (request: ExchangeRequest): OutgoingHttpHeaders | Failure.LocalProtocolError => {
  const { headers, method, origin, target } = request
  if (!methodToken.test(method)) return invalid(request, "InvalidMethod", "the method is not a token", "RFC 9110 §9.1")
  if (target === "" || unfitForTarget.test(target)) {
    return invalid(request, "InvalidTarget", "the target contains what no URL can", "RFC 9110 §7.1")
  }
  const fields: OutgoingHttpHeaders = method === "CONNECT"
    ? { ":method": method, ":authority": target }
    : { ":method": method, ":scheme": origin.scheme, ":authority": origin.authority, ":path": target }
  const length = lengthOf(request)
  let named: ReadonlyArray<string> | undefined
  const names = Object.keys(headers)
  for (let i = 0; i < names.length; i++) {
    const name = names[i]
    const value = headers[name]
    const kind = kindOf(name)
    if (kind === 0) return invalid(request, "InvalidHeader", `the header name ${JSON.stringify(name)} is not a token`)
    if (typeof value !== "string" || unfitForValue.test(value)) {
      return invalid(request, "InvalidHeader", `the value of ${name} is not latin1 without control characters`)
    }
    switch (kind) {
      case Plain:
        fields[name] = value
        break
      case Connection:
        named = value.toLowerCase().split(",").map((option) => option.trim())
        break
      case Host:
        if (value.toLowerCase() !== origin.authority.toLowerCase()) {
          return invalid(request, "InvalidHeader", `the header host is ${value}, the request for ${origin.authority}`)
        }
        break
      case ContentLength:
        if (value !== String(length ?? 0)) {
          return invalid(request, "InvalidBody", `content-length is ${value}, but not the length of the body`)
        }
        break
      case Te:
        if (value.toLowerCase().split(",").some((option) => option.trim() === "trailers")) fields.te = "trailers"
        break
      case Cookie:
        // In crumbs, those that stay the same are compressed (RFC 9113 §8.2.3).
        fields.cookie = value.includes("; ") ? value.split("; ") as never : value
    }
  }
  if (named !== undefined) { for (const name of named) if (!name.startsWith(":")) delete fields[name] }
  if (length !== undefined) fields["content-length"] = String(length)
  return fields
}

/** The head of an answer. `raw` is flat: names and values, with pseudo fields. */
export const decode = (raw: ReadonlyArray<string>): ExchangeHead => {
  const rawHeaders: Array<string> = []
  let status = 0
  let contentLength: number | undefined = undefined
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]
    const value = raw[i + 1]
    if (name === ":status") {
      status = Number(value)
    } else {
      if (name === "content-length") contentLength = Number(value)
      rawHeaders.push(name, value)
    }
  }
  return { status, rawHeaders, contentLength }
}

/** As RFC 9113 §6.5.2 counts it. */
export const sizeOf = (raw: ReadonlyArray<string>): number => {
  let size = 16 * raw.length
  for (let i = 0; i < raw.length; i++) size += raw[i].length
  return size
}

const lengthOf = ({ body }: ExchangeRequest): number | undefined => {
  switch (body._tag) {
    case "None":
      return undefined
    case "Bytes":
      return body.bytes.length
    case "Chunks":
      return body.length
  }
}

const invalid = (
  { origin }: ExchangeRequest,
  reason: Failure.LocalProtocolError["reason"],
  detail: string,
  section?: string
): Failure.LocalProtocolError => Failure.localProtocolError({ origin: origin.href, reason, detail, section })
