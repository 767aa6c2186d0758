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
    return passedReply(response.status, response.headers, new Uint8Array(yield* response.arrayBuffer))
  })
