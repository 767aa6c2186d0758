import type { HeaderField } from "../http2/hpack/index.js"
import type { RequestHead } from "./RequestReader.js"
import type { ReplyHeaders } from "./responseHead.js"

/** They belong to a connection of HTTP/1.1 (RFC 9113 §8.2.2). */
const connectionSpecific = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"])

/**
 * The head of a request, or what is wrong with its fields (RFC 9113 §8.3.1). `:authority` is in `host`, as it is for
 * whoever passes the request on to HTTP/1.1, so that a handler need not know which protocol it serves.
 */
export const requestHead = (fields: ReadonlyArray<HeaderField>): RequestHead | string => {
  const pseudo: Record<string, string> = {}
  const headers: Record<string, string> = {}
  let isRegular = false
  for (const { name, value } of fields) {
    if (name.startsWith(":")) {
      if (isRegular) return `${name} comes after other fields`
      if (!isPseudo(name) || Object.hasOwn(pseudo, name)) return `${name} is unknown, or there twice`
      pseudo[name] = value
      continue
    }
    isRegular = true
    const problem = problemOf(name, value)
    if (problem !== undefined) return problem
    headers[name] = Object.hasOwn(headers, name) ? headers[name] + (name === "cookie" ? "; " : ", ") + value : value
  }
  const { ":authority": authority, ":method": method, ":path": path, ":protocol": protocol, ":scheme": scheme } = pseudo
  if (method === undefined) return "a request has no :method"
  if (authority !== undefined) headers["host"] ??= authority
  if (method === "CONNECT" && protocol === undefined) {
    return authority === undefined || path !== undefined || scheme !== undefined
      ? "CONNECT has :authority, and neither :path nor :scheme"
      : { method, target: authority, headers }
  }
  if (scheme === undefined || path === undefined || path === "") return "a request has no :scheme or no :path"
  return { method, target: path, headers }
}

/** The trailers of a request, or what is wrong with them. */
export const requestTrailers = (fields: ReadonlyArray<HeaderField>): Readonly<Record<string, string>> | string => {
  const trailers: Record<string, string> = {}
  for (const { name, value } of fields) {
    const problem = name.startsWith(":") ? `${name} is in the trailers` : problemOf(name, value)
    if (problem !== undefined) return problem
    trailers[name] = Object.hasOwn(trailers, name) ? `${trailers[name]}, ${value}` : value
  }
  return trailers
}

const isPseudo = (name: string): boolean =>
  name === ":method" || name === ":scheme" || name === ":authority" || name === ":path" || name === ":protocol"

const problemOf = (name: string, value: string): string | undefined => {
  if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name)) return `a field's name is ${JSON.stringify(name)}`
  if (/[\0\r\n]|^[ \t]|[ \t]$/.test(value)) return `the value of ${name} has a control character, or outer blanks`
  if (connectionSpecific.has(name)) return `${name} belongs to HTTP/1.1`
  return name === "te" && value !== "trailers" ? `te: ${value}` : undefined
}

/** The fields of a response head, flat. What belongs to a connection of HTTP/1.1 is left out, as a gateway leaves it out. */
export const responseFields = (
  status: number,
  headers: ReplyHeaders = {},
  contentLength?: number
): Array<string> => {
  const fields = [":status", String(status), ...flatFields(headers)]
  if (contentLength !== undefined && !fields.includes("content-length")) {
    fields.push("content-length", String(contentLength))
  }
  return fields
}

/** Fields one after the other: name, value, name, value. */
export const flatFields = (headers: ReplyHeaders = {}): Array<string> =>
  Object.entries(headers).flatMap(([name, values]) =>
    connectionSpecific.has(name.toLowerCase())
      ? []
      : [values].flat().flatMap((value) => [name.toLowerCase(), String(value)])
  )
