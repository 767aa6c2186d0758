import { checkTrailerName } from "./ChunkedEncoder.js"
import { invalidName, invalidValue, isFieldValue, isToken, quoteToken } from "./FieldSyntax.js"
import type { ProtocolError } from "./ProtocolError.js"
import { protocolError, quoteText } from "./ProtocolError.js"
import { checkTarget, isHost } from "./RequestTarget.js"

/** How a request's content is delimited. */
export type Framing =
  | { readonly _tag: "None" }
  | { readonly _tag: "ContentLength"; readonly length: number }
  | { readonly _tag: "Chunked" }

/** The request has no content. Methods that are expected to have some say `content-length: 0` (RFC 9110 §8.6). */
export const noContent: Framing = { _tag: "None" }

/** Content of a length that is not known yet. */
export const chunked: Framing = { _tag: "Chunked" }

/** Content of so many bytes. */
export const contentLength = (length: number): Framing => ({ _tag: "ContentLength", length })

export interface RequestHead {
  /** Any token. Case matters. */
  readonly method: string
  /** As `originForm` and its like make it. */
  readonly target: string
  /** The value of Host: `URL.host`. */
  readonly host: string
  /** Names of any case, each once; one character an octet in the values. */
  readonly headers: Readonly<Record<string, string>>
  readonly framing: Framing
  /** Whether another request may follow on the connection; `connection: close` is sent if not. `true` unless given. */
  readonly keepAlive?: boolean | undefined
  /** The names of the trailers to come. */
  readonly trailers?: ReadonlyArray<string> | undefined
}

const Plain = 1
const Host = 2
const ContentLength = 3
const TransferEncoding = 4
const Connection = 5
const Upgrade = 6
const Te = 7
const Expect = 8
const Trailer = 9

/** The fields that the encoder itself has a say in. */
const controls = new Map<string, number>([
  ["host", Host],
  ["content-length", ContentLength],
  ["transfer-encoding", TransferEncoding],
  ["connection", Connection],
  ["upgrade", Upgrade],
  ["te", Te],
  ["expect", Expect],
  ["trailer", Trailer]
])

/** Names that have passed as tokens, as they were written. Bounded, for some programs make names up. */
const knownNames = new Map<string, number>(controls)
const maxKnownNames = 1024
const maxKnownLength = 64

const kindOf = (name: string): number => {
  const known = knownNames.get(name)
  if (known !== undefined) return known
  if (!isToken(name)) return 0
  const kind = controls.get(name.toLowerCase()) ?? Plain
  if (knownNames.size < maxKnownNames && name.length <= maxKnownLength) knownNames.set(name, kind)
  return kind
}

/** Methods whose content a server waits for unless the request says that there is none. */
const expectsContent = (method: string): boolean =>
  method === "POST" || method === "PUT" || method === "PATCH" || method === "QUERY"

const isEmpty = (framing: Framing): boolean =>
  framing._tag === "None" || (framing._tag === "ContentLength" && framing.length === 0)

/** The host that passed last: most requests of a process go where the one before went. */
let knownHost = ""

/**
 * The request head, from the request line to the empty line, one character an octet; or what is wrong with it, and
 * then nothing may be written. Nothing given can add a line, a field or a second request. Fields about framing and
 * about the connection are written as `framing` and `keepAlive` say: given again in `headers` they change nothing if
 * they agree, and are a protocol error if they don't.
 */
export const encodeHead = (request: RequestHead): string | ProtocolError => {
  const { framing, headers, host, method, target } = request
  if (method !== "GET" && !isToken(method)) {
    return protocolError("InvalidMethod", `The method ${quoteToken(method)} is not a token`, "RFC 9110 §9.1")
  }
  const invalidTarget = checkTarget(method, target)
  if (invalidTarget !== undefined) return invalidTarget
  if (host !== knownHost) {
    if (!isHost(host)) {
      return protocolError("InvalidHost", `${quoteText(host)} is not a host with an optional port`, "RFC 9110 §7.2")
    }
    knownHost = host
  }
  if (framing._tag !== "None") {
    const invalidFraming = checkFraming(method, framing)
    if (invalidFraming !== undefined) return invalidFraming
  }

  const start = `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n`
  let text = start
  let connection = ""
  let options = ""
  let emptyContent = framing._tag === "None" && expectsContent(method)
  let announced = false
  const names = Object.keys(headers)
  for (let i = 0; i < names.length; i++) {
    const name = names[i]
    const value = headers[name]
    const kind = kindOf(name)
    if (kind === 0) return invalidName(name)
    if (typeof value !== "string" || !isFieldValue(value)) return invalidValue(name)
    switch (kind) {
      case Host:
        if (value.toLowerCase() !== host.toLowerCase()) {
          const conflict = checkOwnHost(value, method, target)
          if (conflict !== undefined) return conflict
          text = `${method} ${target} HTTP/1.1\r\nHost: ${value}\r\n${text.slice(start.length)}`
        }
        continue
      case ContentLength:
        if (
          framing._tag === "ContentLength"
            ? value !== String(framing.length)
            : framing._tag !== "None" || value !== "0"
        ) {
          return conflictingFraming(name, value, framing)
        }
        emptyContent = framing._tag === "None" && method !== "CONNECT" && method !== "TRACE"
        continue
      case TransferEncoding:
        if (framing._tag !== "Chunked" || value.toLowerCase() !== "chunked") {
          return conflictingFraming(name, value, framing)
        }
        continue
      case Connection:
        connection = connection === "" ? value : `${connection}, ${value}`
        continue
      case Upgrade:
        options += ", upgrade"
        break
      case Te:
        options += ", te"
        break
      case Expect:
        if (isEmpty(framing) && value.toLowerCase() === "100-continue") {
          return protocolError("InvalidExpectation", "Expect: 100-continue without content", "RFC 9110 §10.1.1")
        }
        break
      case Trailer:
        if (framing._tag !== "Chunked") return trailersNeedChunked
        announced = true
        break
    }
    text += `${name}: ${value}\r\n`
  }

  if (connection !== "" || options !== "" || request.keepAlive === false) {
    const line = encodeConnection(connection, options, request.keepAlive !== false)
    if (typeof line !== "string") return line
    text += line
  }
  if (framing._tag === "ContentLength") text += `content-length: ${framing.length}\r\n`
  else if (framing._tag === "Chunked") text += "transfer-encoding: chunked\r\n"
  else if (emptyContent) text += "content-length: 0\r\n"
  if (request.trailers !== undefined && request.trailers.length > 0) {
    if (framing._tag !== "Chunked") return trailersNeedChunked
    for (const name of request.trailers) {
      const invalidTrailer = checkTrailerName(name)
      if (invalidTrailer !== undefined) return invalidTrailer
    }
    if (!announced) text += `trailer: ${request.trailers.join(", ")}\r\n`
  }
  return text + "\r\n"
}

/**
 * Whether the server at one address may be asked for a host of another name, as through a forwarded port. Where the target
 * itself names the host, that name counts (RFC 9112 §3.2.2).
 */
const checkOwnHost = (value: string, method: string, target: string): ProtocolError | undefined => {
  if (!isHost(value) || value.includes(",")) {
    return protocolError(
      "InvalidHost",
      "The header Host is not one host with an optional port",
      "RFC 9110 §7.2"
    )
  }
  return method !== "CONNECT" && (target.startsWith("/") || target === "*") ? undefined : protocolError(
    "ConflictingHost",
    `The header Host is ${
      quoteText(value)
    }, but the request goes through a proxy, by its URL; leave the header out, or ` +
      "ask for that host in the URL",
    "RFC 9112 §3.2.2"
  )
}

/** The options of a Connection field, in lower case. */
export const connectionOptions = (value: string): ReadonlyArray<string> =>
  value.toLowerCase().split(",").map((option) => option.trim()).filter((option) => option !== "")

const checkFraming = (method: string, framing: Framing): ProtocolError | undefined => {
  if (method === "CONNECT" || method === "TRACE") {
    return protocolError(
      "ForbiddenContent",
      `A ${method} request has no content`,
      method === "CONNECT" ? "RFC 9110 §9.3.6" : "RFC 9110 §9.3.8"
    )
  }
  return framing._tag === "ContentLength" && !(Number.isSafeInteger(framing.length) && framing.length >= 0)
    ? protocolError("InvalidContentLength", `A content length of ${framing.length}`, "RFC 9110 §8.6")
    : undefined
}

/** Fields that a Connection field would have a proxy take away, so that it would see another message than the server. */
const notConnectionOptions = ["host", "content-length", "transfer-encoding", "trailer"]

/**
 * @param given what the caller's own Connection field says
 * @param due what other fields require it to say, each with a comma before it
 */
const encodeConnection = (given: string, due: string, keepAlive: boolean): string | ProtocolError => {
  let line = given
  const options = connectionOptions(given)
  for (const option of options) {
    if (!isToken(option) || notConnectionOptions.includes(option)) {
      return protocolError(
        "ConflictingConnection",
        `${quoteText(option)} is not a connection option`,
        "RFC 9110 §7.6.1"
      )
    }
    if (option === (keepAlive ? "close" : "keep-alive")) {
      return protocolError(
        "ConflictingConnection",
        `Connection: ${option}, but the connection is to be ${keepAlive ? "kept" : "closed"}`,
        "RFC 9112 §9.6"
      )
    }
  }
  for (const option of connectionOptions(keepAlive ? due : `${due}, close`)) {
    if (!options.includes(option)) line = line === "" ? option : `${line}, ${option}`
  }
  return `connection: ${line}\r\n`
}

const conflictingFraming = (name: string, value: string, framing: Framing): ProtocolError => {
  const actual = framing._tag === "ContentLength"
    ? `of ${framing.length} bytes`
    : framing._tag === "Chunked"
    ? "chunked"
    : "empty"
  return protocolError(
    "ConflictingFraming",
    `The header ${name} is ${quoteText(value)}, but the content is ${actual}`,
    "RFC 9112 §6.3"
  )
}

const trailersNeedChunked: ProtocolError = protocolError(
  "ForbiddenTrailer",
  "Trailers need chunked content",
  "RFC 9112 §7.1.2"
)
