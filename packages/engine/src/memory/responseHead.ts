import { fromLatin1 } from "./MemorySocket.js"

/** Several values of a name are several fields. */
export type ReplyHeaders = Readonly<Record<string, string | ReadonlyArray<string>>>

/** What is looked at of a response. */
interface Reply {
  readonly status?: number | undefined
  readonly headers?: ReplyHeaders | undefined
  readonly body?: unknown
  readonly trailers?: Readonly<Record<string, string>> | undefined
}

interface Request {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
}

/** How the end of a response is known (RFC 9112 §6.3). `Given`: its own headers say it. */
export type Framing = "None" | "Given" | "Chunked"

/** These have no content, whatever their headers say (RFC 9110 §6.4.1). */
export const hasContent = (method: string, status: number): boolean =>
  method !== "HEAD" && status >= 200 && status !== 204 && status !== 304

/** The head of a response as bytes. A field that is no octets, or has an end of line in it, is the test's own doing. */
export const encodeHead = (status: number, headers: ReplyHeaders = {}): Uint8Array => {
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value) => `${name}: ${value}\r\n`)
  )
  return fromLatin1(`HTTP/1.1 ${status} ${reasons[status] ?? ""}\r\n${lines.join("")}\r\n`)
}

const reasons: Readonly<Record<number, string>> = {
  100: "Continue",
  101: "Switching Protocols",
  103: "Early Hints",
  200: "OK",
  201: "Created",
  204: "No Content",
  206: "Partial Content",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable"
}

/** The headers of a reply with those that frame its body, where it does not have them itself. */
export const frame = (
  { headers: asked, method }: Pick<Request, "method" | "headers">,
  { body, headers = {}, status = 200, trailers }: Reply,
  isTunnel: boolean
): { readonly headers: ReplyHeaders; readonly framing: Framing } => {
  const names = Object.keys(headers).map((name) => name.toLowerCase())
  if (status === 101 && !names.includes("upgrade") && asked["upgrade"] !== undefined) {
    return { headers: { ...headers, connection: "upgrade", upgrade: asked["upgrade"] }, framing: "Given" }
  }
  if (isTunnel) return { headers, framing: "Given" }
  if (names.includes("transfer-encoding")) return { headers, framing: "Chunked" }
  if (names.includes("content-length")) return { headers, framing: "Given" }
  if (status < 200 || status === 204 || status === 304) return { headers, framing: "None" }
  const isStream = body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array)
  if (isStream || trailers !== undefined) {
    return { headers: { ...headers, "transfer-encoding": "chunked" }, framing: "Chunked" }
  }
  const length = body === undefined ? 0 : typeof body === "string" ? new TextEncoder().encode(body).length : body.length
  // A response to HEAD says what the one to GET would (RFC 9110 §9.3.2), or nothing.
  if (method === "HEAD" && body === undefined) return { headers, framing: "None" }
  return { headers: { ...headers, "content-length": String(length) }, framing: "Given" }
}
