import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import type { Plan } from "../faultProxy/plan.js"

const Size = Schema.NonNegativeInt

const ActionJson = Schema.Union(
  Schema.Literal("end", "reset", "blackhole"),
  Schema.Struct({ delay: Schema.NonNegative }),
  Schema.Struct({ insert: Schema.String }),
  Schema.Struct({ duplicate: Size }),
  Schema.Struct({ drop: Size })
)

const DirectionJson = Schema.Struct({
  faults: Schema.optional(Schema.Array(Schema.Struct({ afterBytes: Schema.optional(Size), action: ActionJson }))),
  bytesPerSecond: Schema.optional(Schema.Positive),
  pieceSize: Schema.optional(Schema.Int.pipe(Schema.positive())),
  delayBetweenPieces: Schema.optional(Schema.NonNegative)
})

const PlanJson = Schema.Struct({
  delay: Schema.optional(Schema.NonNegative),
  instead: Schema.optional(Schema.Literal("silence", "end", "reset")),
  up: Schema.optional(DirectionJson),
  down: Schema.optional(DirectionJson)
}).annotations({ identifier: "a plan, as { \"delay\": 100 }" })

const Plans = Schema.Union(PlanJson, Schema.NonEmptyArray(PlanJson)).annotations({
  identifier: "a plan, or a list of plans"
})

/** Reads plans. Fails with one line that says what is wrong with them. */
export const read = (file: string): Effect.Effect<ReadonlyArray<Plan>, string> =>
  Effect.gen(function*() {
    const text = yield* Effect.try({
      try: () => fs.readFileSync(file, "utf8"),
      catch: (error) => `${file} can't be read (${(error as NodeJS.ErrnoException).code})`
    })
    const json = yield* Effect.try({
      try: (): unknown => JSON.parse(text.replace(/^\ufeff/, "")),
      catch: (error) => `${file} is no JSON: ${error instanceof Error ? error.message : String(error)}`
    })
    return yield* Effect.mapError(decode(json), (reason) => `${file}: ${reason}`)
  })

export const decode = (json: unknown): Either.Either<ReadonlyArray<Plan>, string> =>
  Schema.decodeUnknownEither(Plans, { onExcessProperty: "error" })(json).pipe(
    Either.mapBoth({
      onLeft: (error) => {
        // One plan or several: the deepest issue is of what was meant.
        const issues = ParseResult.ArrayFormatter.formatErrorSync(error)
        const issue = issues.reduce((deepest, one) => one.path.length > deepest.path.length ? one : deepest)
        const where = issue.path.length === 0 ? "" : `at ${issue.path.map((key) => JSON.stringify(key)).join(" ")}: `
        return `${where}${issue.message.replaceAll(/\s+/g, " ")}`
      },
      onRight: asMany
    })
  )

const asMany = (plans: Plan | ReadonlyArray<Plan>): ReadonlyArray<Plan> => isMany(plans) ? plans : [plans]

const isMany = (plans: Plan | ReadonlyArray<Plan>): plans is ReadonlyArray<Plan> => Array.isArray(plans)

/** As a file would have it. */
export const describe = (plan: Plan): string => {
  const json = JSON.stringify(plan)
  return json === "{}" ? "nothing is spoiled" : json
}
