import { isPassed, replayed, toRecorded } from "@sluice/engine/mock"
import * as Schema from "effect/Schema"
import type * as MockHttp from "./models.js"

const Headers = Schema.Record({ key: Schema.String, value: Schema.String })

export const Recording: Schema.Schema<MockHttp.Recording> = Schema.Struct({
  version: Schema.Literal(1),
  exchanges: Schema.Array(Schema.Struct({
    request: Schema.Struct({
      method: Schema.String,
      url: Schema.String,
      headers: Headers,
      body: Schema.String
    }),
    response: Schema.Struct({
      status: Schema.Int,
      headers: Schema.Record({
        key: Schema.String,
        value: Schema.Union(Schema.String, Schema.Array(Schema.String))
      }),
      body: Schema.String,
      encoding: Schema.Literal("utf-8", "base64")
    })
  }))
})

export const record = (history: ReadonlyArray<MockHttp.Exchange>): MockHttp.Recording => ({
  version: 1,
  exchanges: history.flatMap(({ outcome, request }) =>
    outcome._tag === "Replied" && isPassed(outcome.reply) ? [toRecorded(request, outcome.reply)] : []
  )
})

export const replay = (recording: MockHttp.Recording): ReadonlyArray<MockHttp.Expectation> =>
  replayed(recording).map(({ matcher, replies }) => ({ matcher, responders: replies, times: { _tag: "Any" } }))
