import type { ReplyHeaders } from "../memory/index.js"

/** What a reply says of its body. */
export interface ReplyBody<Body> {
  readonly headers?: ReplyHeaders | undefined
  readonly body?: Body | undefined
  readonly json?: unknown
  readonly form?: Readonly<Record<string, string>> | undefined
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The body that a reply has, in bytes where it is there already, and the headers with its type. */
export const contentOf = <Body>(
  { body, form, headers = {}, json }: ReplyBody<Body>
): { readonly headers: ReplyHeaders; readonly body: Exclude<Body, string> | Uint8Array | undefined } => {
  if (json !== undefined) {
    return { headers: withType(headers, "application/json"), body: encode(JSON.stringify(json)) }
  }
  if (form !== undefined) {
    const text = new URLSearchParams(form).toString()
    return { headers: withType(headers, "application/x-www-form-urlencoded"), body: encode(text) }
  }
  return { headers, body: typeof body === "string" ? encode(body) : body as Exclude<Body, string> | undefined }
}

const has = (headers: ReplyHeaders, name: string): boolean =>
  Object.keys(headers).some((key) => key.toLowerCase() === name)

const withType = (headers: ReplyHeaders, type: string): ReplyHeaders =>
  has(headers, "content-type") ? headers : { "content-type": type, ...headers }

/** With the length that a body has, where its headers do not frame it already. */
export const withLength = (headers: ReplyHeaders, bytes: Uint8Array): ReplyHeaders =>
  has(headers, "content-length") || has(headers, "transfer-encoding")
    ? headers
    : { ...headers, "content-length": String(bytes.length) }

/** How often in a second bytes come when a body is throttled. */
const beats = 10

/** The pieces of a body that is throttled: each comes when its bytes are due. */
export const throttledPieces = (chunk: string | Uint8Array, bytesPerSecond: number): ReadonlyArray<Uint8Array> => {
  const size = Math.max(1, Math.floor(bytesPerSecond / beats))
  const bytes = typeof chunk === "string" ? encode(chunk) : chunk
  const pieces: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
  return pieces
}

/** The same reply, whose connection ends after so many bytes of its body: by default after half of it. */
export const truncatedReply = <Reply extends ReplyBody<unknown>>(
  reply: Reply,
  bytes?: number
): Reply & { readonly cutAfter: number } => {
  const { body = new Uint8Array() } = contentOf(reply)
  if (!(body instanceof Uint8Array)) {
    throw new TypeError("MockHttp.truncated: a stream has no middle; end it with an error instead of this")
  }
  return { ...reply, cutAfter: bytes ?? Math.floor(body.length / 2) }
}
