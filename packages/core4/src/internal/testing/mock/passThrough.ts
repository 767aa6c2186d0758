import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as MockHttp from "./models.js"

/** What belongs to the connection of the real request, or to how its body was coded. */
const ofTheConnection = new Set(["connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"])

/** The replies that came from a real network. */
export const passed = new WeakSet<object>()

export const passThrough = (
  request: MockHttp.Request
): Effect.Effect<MockHttp.Reply, unknown, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    const { "content-length": _length, connection: _connection, host: _host, ...headers } = request.headers
    const sent = HttpClientRequest.make(request.method as "GET")(request.url, { headers })
    const response = yield* client.execute(
      request.bytes.length === 0
        ? sent
        : HttpClientRequest.bodyUint8Array(sent, request.bytes, request.headers["content-type"])
    )
    const body = new Uint8Array(yield* response.arrayBuffer)
    const reply: MockHttp.Reply = {
      status: response.status,
      headers: Object.fromEntries(Object.entries(response.headers).filter(([name]) => !ofTheConnection.has(name))),
      body
    }
    passed.add(reply)
    return reply
  })
