import * as Cookies from "@effect/platform/Cookies"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { passedHeaders, passedReply } from "@sluice/engine/mock"
import * as Effect from "effect/Effect"
import type * as MockHttp from "./models.js"

export const passThrough = (
  request: MockHttp.Request
): Effect.Effect<MockHttp.Reply, unknown, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    const sent = HttpClientRequest.make(request.method as "GET")(request.url, {
      headers: passedHeaders(request.headers)
    })
    const response = yield* client.execute(
      request.bytes.length === 0
        ? sent
        : HttpClientRequest.bodyUint8Array(sent, request.bytes, request.headers["content-type"])
    )
    // Of fields that cannot be joined by a comma, the headers have one.
    const cookies = Cookies.toSetCookieHeaders(response.cookies)
    const headers = cookies.length > 1 ? { ...response.headers, "set-cookie": cookies } : response.headers
    return passedReply(response.status, headers, new Uint8Array(yield* response.arrayBuffer))
  })
