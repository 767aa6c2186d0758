import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import { ResponseBody } from "@sluice/engine/call"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ContentCoding from "../../src/ContentCoding.js"
import { HttpResponse } from "../../src/internal/client/HttpResponse.js"
import * as TransportError from "../../src/TransportError.js"

// What no text of V8 can hold. Nobody writes to these bytes, so they take no memory.
const bytes = new Uint8Array(2 ** 29)
const request = HttpClientRequest.get("http://a.test/export")

const arrived = (): HttpClientResponse.HttpClientResponse => {
  const details = () => ({ origin: "http://a.test", phase: "body", written: true, safeToRetry: true }) as const
  const owner = { details, pause: () => {}, resume: () => {}, discard: () => {}, captureContext: () => undefined }
  const body = new ResponseBody(owner, Infinity)
  body.push(bytes)
  body.complete([])
  return new HttpResponse(request, { body, head: { status: 200, rawHeaders: [] } } as never)
}

const decoded = Effect.suspend(() => {
  const codec: ContentCoding.Codec = {
    names: ["zeros"],
    decodeSync: () => Either.right(bytes),
    decodeWhole: () => Effect.succeed(bytes),
    decode: (stream) => stream
  }
  const client = HttpClient.make((request) =>
    Effect.succeed(
      HttpClientResponse.fromWeb(request, new Response("coded", { headers: { "content-encoding": "zeros" } }))
    )
  )
  return ContentCoding.decode(client, [codec], { maxRatio: 1e9 }).execute(request)
})

describe("a body that is longer than a text can be", () => {
  const responses = { "as it came": Effect.sync(arrived), "after a coding": decoded }
  for (const [how, response] of Object.entries(responses)) {
    it.effect(`is an error that says so, ${how}`, () =>
      Effect.gen(function*() {
        const { json, text, urlParamsBody } = yield* response
        for (const read of [text, json, urlParamsBody]) {
          const error = yield* Effect.flip(read)
          assert.strictEqual(error.reason, "Decode")
          const cause = yield* TransportError.fromHttpClientError(error)
          assert.strictEqual(cause._tag, "ResponseTooLarge")
          assert.include(
            error.message,
            "larger than what can be read as one text, 536870888 bytes. Read it as a stream."
          )
        }
      }))
  }
})
