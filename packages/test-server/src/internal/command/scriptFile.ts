import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as path from "node:path"
import type { Breaking, Options, Reply } from "../../Reply.js"
import * as replies from "../reply.js"
import { checkTwins, parseRoute } from "../script.js"

const Line = Schema.String.pipe(
  Schema.filter((text) =>
    !/[\r\n\0]|[^\0-\xff]/.test(text) ||
    "Expected text of one line, of Latin-1 (ISO 8859-1); `raw` sends whatever it is"
  )
)

const Fields = Schema.Record({ key: Schema.String, value: Schema.Union(Line, Schema.Array(Line)) }).pipe(
  Schema.filter((fields) => {
    const wrong = Object.keys(fields).find((name) => !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name))
    return wrong === undefined || `${JSON.stringify(wrong)} is no name of a header field`
  })
)

/** A number is the code of an RST_STREAM (RFC 9113 §7). */
const Breaks = Schema.Union(Schema.Literal("end", "reset"), Schema.Int.pipe(Schema.between(0, 2 ** 32 - 1)))

const Interim = Schema.Int.pipe(Schema.between(100, 199)).pipe(
  Schema.filter((status) => status !== 101 || "101 is no informational response: nothing follows it")
)

const Common = {
  status: Schema.optional(Schema.Int.pipe(Schema.between(200, 999))),
  reason: Schema.optional(Line),
  headers: Schema.optional(Fields),
  trailers: Schema.optional(Fields),
  informational: Schema.optional(
    Schema.Array(
      Schema.Struct({ status: Interim, headers: Schema.optional(Fields) })
    )
  ),
  delayBeforeHead: Schema.optional(Schema.DurationFromMillis),
  delayBetweenChunks: Schema.optional(Schema.DurationFromMillis),
  framing: Schema.optional(Schema.Literal("length", "chunked", "close")),
  keepAliveHint: Schema.optional(
    Schema.Struct({ timeout: Schema.optional(Schema.NonNegative), max: Schema.optional(Schema.NonNegativeInt) })
  ),
  connection: Schema.optional(Schema.Literal("close")),
  close: Schema.optional(Schema.Boolean),
  abrupt: Schema.optional(Schema.Struct({ afterBytes: Schema.NonNegativeInt, how: Schema.optional(Breaks) })),
  version: Schema.optional(Schema.Literal("1.0", "1.1"))
}

/** One reply in a file: the options of `Reply`, delays in milliseconds, and one body. */
const ReplyJson = Schema.Struct({
  ...Common,
  text: Schema.optional(Schema.String),
  json: Schema.optional(Schema.Unknown),
  file: Schema.optional(Schema.NonEmptyString),
  base64: Schema.optional(Schema.Uint8ArrayFromBase64),
  chunks: Schema.optional(Schema.Array(Schema.String)),
  size: Schema.optional(Schema.NonNegativeInt),
  echo: Schema.optional(Schema.Literal(true)),
  raw: Schema.optional(Schema.String),
  never: Schema.optional(Schema.Literal(true)),
  disconnect: Schema.optional(Breaks)
}).annotations({ identifier: "a reply, as { \"text\": \"hello\" }" }).pipe(
  Schema.filter((given) => {
    const bodies = kinds.filter((kind) => given[kind] !== undefined)
    if (bodies.length > 1) return `${bodies.join(" and ")} exclude each other`
    const [kind] = bodies
    const allowed = kind === undefined ? undefined : alone.get(kind)
    const idle = Object.keys(given).filter((key) => key !== kind && allowed?.includes(key) === false)
    if (idle.length > 0) return `${idle.join(", ")} without effect beside ${kind}`
    if (kind !== undefined && (given.status === 204 || given.status === 304)) {
      return `${kind} without effect beside status ${given.status}, which has no body`
    }
    return given.trailers === undefined || given.framing === undefined || given.framing === "chunked" ||
      `trailers without effect beside framing ${given.framing}`
  })
).annotations({ identifier: "a reply, as { \"text\": \"hello\" }" })

type ReplyJson = typeof ReplyJson.Type

const kinds = ["text", "json", "file", "base64", "chunks", "size", "echo", "raw", "never", "disconnect"] as const

/** What these may have beside them: they are no proper responses, with a status and headers. */
const alone = new Map<(typeof kinds)[number], ReadonlyArray<string>>([
  ["raw", ["close", "delayBetweenChunks"]],
  ["never", []],
  ["disconnect", []]
])

const Routes = Schema.Record({ key: Schema.String, value: Schema.Union(ReplyJson, Schema.NonEmptyArray(ReplyJson)) })
  .annotations({ identifier: "an object of routes and replies" })

export type Routes = Readonly<Record<string, Reply | ReadonlyArray<Reply>>>

/** Reads a script. Fails with one line that says what is wrong with it. */
export const read = (script: string): Effect.Effect<Routes, string> =>
  Effect.gen(function*() {
    const text = yield* Effect.try({
      try: () => fs.readFileSync(script, "utf8"),
      catch: (error) => `${script} can't be read (${(error as NodeJS.ErrnoException).code})`
    })
    const json = yield* Effect.try({
      // Editors on Windows write a byte order mark.
      try: (): unknown => JSON.parse(text.replace(/^\ufeff/, "")),
      catch: (error) => `${script} is no JSON: ${error instanceof Error ? error.message : String(error)}`
    })
    return yield* Effect.mapError(decode(json, path.dirname(script)), (reason) => `${script}: ${reason}`)
  })

/** Files are looked for in `folder`. */
export const decode = (json: unknown, folder = "."): Either.Either<Routes, string> =>
  Schema.decodeUnknownEither(Routes, { onExcessProperty: "error" })(json).pipe(
    Either.mapLeft((error) => {
      // A route may be one reply or several; the deepest issue is of the one that was meant.
      const issues = ParseResult.ArrayFormatter.formatErrorSync(error)
      const issue = issues.reduce((deepest, one) => one.path.length > deepest.path.length ? one : deepest)
      const where = issue.path.length === 0 ? "" : `at ${issue.path.map((key) => JSON.stringify(key)).join(" ")}: `
      return `${where}${issue.message.replaceAll(/\s+/g, " ")}`
    }),
    Either.flatMap((routes) =>
      Either.try({
        try: () => {
          checkTwins(Object.keys(routes))
          return Object.fromEntries(
            Object.entries(routes).map(([route, given]) => [
              parseRoute(route).source,
              isMany(given) ? given.map((one) => toReply(one, folder)) : toReply(given, folder)
            ])
          )
        },
        catch: (error) => (error as Error).message
      })
    )
  )

const isMany = (given: ReplyJson | ReadonlyArray<ReplyJson>): given is ReadonlyArray<ReplyJson> => Array.isArray(given)

const toReply = (given: ReplyJson, folder: string): Reply => {
  const { base64, chunks, disconnect, echo, file, json, never, raw, size, text, ...rest } = given
  const options: Options = rest
  if (never !== undefined) return replies.never
  if (disconnect !== undefined) return replies.disconnect(disconnect as Breaking)
  if (raw !== undefined) {
    return replies.raw(raw, { close: options.close, delayBetweenChunks: options.delayBetweenChunks })
  }
  if (echo !== undefined) return replies.echo(options)
  if (size !== undefined) return replies.size(size, options)
  if (chunks !== undefined) return replies.chunks(chunks, options)
  if (file !== undefined) return replies.bytes(readBody(path.resolve(folder, file)), withType(options, file))
  if (base64 !== undefined) return replies.bytes(base64, options)
  if (json !== undefined) return replies.json(json, options)
  if (text !== undefined) return replies.text(text, options)
  return replies.empty(options)
}

const readBody = (file: string): Uint8Array => {
  try {
    return fs.readFileSync(file)
  } catch (error) {
    throw new Error(`${file} can't be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

/** What a browser has to be told. Of others it makes the best. */
const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".gif": "image/gif",
  ".htm": "text/html; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".xml": "application/xml"
}

const withType = (options: Options, file: string): Options => {
  const { headers = {} } = options
  if (Object.keys(headers).some((name) => name.toLowerCase() === "content-type")) return options
  const type = types[path.extname(file).toLowerCase()] ?? "application/octet-stream"
  return { ...options, headers: { "content-type": type, ...headers } }
}
