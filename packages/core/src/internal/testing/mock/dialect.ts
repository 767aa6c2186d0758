import type { Dialect } from "@sluice/engine/mock"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import type * as Schema from "effect/Schema"

/** How mocks understand what is Effect's. */
export const dialect: Dialect = {
  isTime: (value) => Option.isSome(Duration.decodeUnknown(value)),
  show: (value) => Inspectable.toStringUnknown(value, 0),
  ofSchema: (schema, json) => {
    const parsed = ParseResult.decodeUnknownEither(schema as Schema.Schema.AnyNoContext)(json)
    if (Either.isRight(parsed)) return []
    const [issue] = ParseResult.ArrayFormatter.formatIssueSync(parsed.left)
    return [{ text: `JSON is not of the schema${issue === undefined ? "" : ` at ${issue.path.join(".")}`}`, weight: 1 }]
  }
}
