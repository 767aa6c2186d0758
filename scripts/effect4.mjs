// An example of the documents, which is written for Effect 3, as one for Effect 4: names of modules and functions. What comes
// of it is compiled by check-docs.mjs and shown beside it on the site. Where the two differ in more than names, the document
// has a block of its own right after it, that opens with ```ts effect4.

/** @type {ReadonlyArray<readonly [RegExp, string]>} */
const rules = [
  [/^import \* as TestContext from "effect\/TestContext"\n/gm, ""],
  [/\bTestContext\.TestContext\b/g, "TestClock.layer()"],
  [/"@effect\/platform\/(\w+)"/g, "\"effect/http/$1\""],
  [/"@sluice\/(node|core)(?=["/])/g, "\"@sluice/$14"],
  [/"effect\/TestClock"/g, "\"effect/testing/TestClock\""],
  // What it tests in is a Scope always.
  [/\bit\.scoped\b/g, "it.effect"],
  [/\bEffect\.catchAll\b/g, "Effect.catch"],
  [/\bEffect\.catchAllCause\b/g, "Effect.catchCause"],
  [/\bEffect\.catchAllDefect\b/g, "Effect.catchDefect"],
  [/\bEffect\.zipRight\b/g, "Effect.andThen"],
  [/\bEffect\.fork\b/g, "Effect.forkChild"],
  [/\.unsafePoll\(\)/g, ".pollUnsafe()"],
  [/\bLayer\.scoped\b/g, "Layer.effect"],
  [/\bLayer\.unwrapEffect\b/g, "Layer.unwrap"],
  [/\bScope\.extend\b/g, "Scope.provide"],
  [/\bConfig\.integer\b/g, "Config.Int"],
  [/\bConfig\.(string|duration|boolean|redacted)\b/g, "Config.$1"],
  [/\bLogger\.replace\(Logger\.defaultLogger, (\w+)\)/g, "Logger.layer([$1])"],
  [/\bStream\.decodeText\(\)/g, "Stream.decodeText"],
  [/(\bStream\.runFold\([^()]+, )(\d+,)/g, "$1() => $2"],
  [/^import \* as Chunk from "effect\/Chunk"\n/gm, ""],
  [/\bChunk\.join\((yield\* Fiber\.join\(\w+\)), ("[^"]*")\)/g, "($1).join($2)"],
  [/\bOption\.isNone\(yield\* Fiber\.poll\((\w+)\)\)/g, "$1.pollUnsafe() === undefined"],
  [/\bEffect\.yieldNow\(\)/g, "Effect.yieldNow"],
  // A Result is no Effect.
  [/\byield\* (Origin\.make\([^()]*\))/g, "yield* Effect.fromResult($1)"],
  [/\bbodyUnsafeJson\b/g, "bodyJsonUnsafe"],
  [/\bSchema\.parseJson\b/g, "Schema.fromJsonString"],
  [/\bSchema\.(encode|decode)\(/g, "Schema.$1Effect("],
  [/\bSchema\.Positive\b/g, "Schema.Number.check(Schema.isGreaterThan(0))"]
]

/** @param {string} code */
export const toEffect4 = (code) =>
  rules.reduce((code, [pattern, replacement]) => code.replace(pattern, replacement), code)
    .replace(/\bConfig\.([a-z])(?=\w+\()/g, (_, first) => `Config.${first.toUpperCase()}`)

/** Not so for what is made with packages that Effect 4 has in itself, or that are not there for it. @param {string} code */
export const hasCounterpart = (code) => !/from "@effect\/(?!platform\/|platform-node|vitest")/.test(code)
