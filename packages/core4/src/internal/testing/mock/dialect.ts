import type { Dialect } from "@sluice/engine/mock"
import * as Duration from "effect/Duration"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** How mocks understand what is Effect's. */
export const dialect: Dialect = {
  isTime: (value) => Option.isSome(Duration.fromInput(value as Duration.Input)),
  show: (value) => Inspectable.toStringUnknown(value, 0),
  ofSchema: (schema, json) => {
    const parsed = Schema.decodeUnknownResult(schema as Schema.ConstraintDecoder<unknown>)(json)
    if (Result.isSuccess(parsed)) return []
    const path = /at \["?([^\n]*?)"?\]$/m.exec(parsed.failure.message)?.[1]?.replaceAll(/"?\]\["?/g, ".")
    return [{ text: `JSON is not of the schema${path === undefined ? "" : ` at ${path}`}`, weight: 1 }]
  }
}
