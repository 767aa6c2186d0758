import type { ReplyHeaders } from "../memory/index.js"

/** What belongs to the connection of the real request, or to how its body was coded. */
const ofTheConnection = new Set(["connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"])

/** A reply that came from a real network. */
export interface PassedReply {
  readonly status: number
  readonly headers: ReplyHeaders
  readonly body: Uint8Array
}

const passed = new WeakSet<object>()

export const isPassed = (reply: object): reply is PassedReply => passed.has(reply)

/** What a real server has responded, as a reply of the mock. */
export const passedReply = (
  status: number,
  headers: ReplyHeaders,
  body: Uint8Array
): PassedReply => {
  const reply = {
    status,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !ofTheConnection.has(name))),
    body
  }
  passed.add(reply)
  return reply
}

/** What belongs to the connection of the request, and to how its body was sent: all of it is there now. */
const ofOneHop = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

/** The headers with which a request is sent on. */
export const passedHeaders = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !ofOneHop.has(name)))
