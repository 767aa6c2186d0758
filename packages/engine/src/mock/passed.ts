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
  headers: Readonly<Record<string, string>>,
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

/** The headers with which a request is sent on. */
export const passedHeaders = (
  { "content-length": _length, connection: _connection, host: _host, ...headers }: Readonly<Record<string, string>>
): Readonly<Record<string, string>> => headers
