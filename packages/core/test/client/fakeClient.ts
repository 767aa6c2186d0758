import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError } from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import type { TransportError } from "../../src/TransportError.js"

export type Reply = { readonly status: number; readonly headers?: Record<string, string> } | TransportError

/** A client that gives the replies in turn, the last one for ever, and remembers what it was asked. */
export const fakeClient = (...replies: ReadonlyArray<Reply>) => {
  const requests: Array<HttpClientRequest> = []
  const client = HttpClient.make((request) => {
    const reply = replies[Math.min(requests.length, replies.length - 1)]
    requests.push(request)
    return "_tag" in reply
      ? Effect.fail(new RequestError({ request, reason: "Transport", cause: reply }))
      : Effect.succeed(
        HttpClientResponse.fromWeb(request, new Response(null, { status: reply.status, headers: reply.headers ?? {} }))
      )
  })
  return { client, requests }
}
