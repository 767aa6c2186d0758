import * as Explanation from "@sluice/core/Explanation"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Provided } from "../wrapped.js"
import { describeVisit, visit } from "./visit.js"

export const help = `sluice-doctor: what would be done for a URL, and why

  sluice-doctor URL ...          the way there: proxy, addresses, TLS, protocol, limits, timeouts; nothing is sent
  sluice-doctor --send URL ...   and then requests it, and shows how long each part took
  sluice-doctor --json URL ...   the same as JSON, one line for each URL

The environment is heard: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, and the options of the client as HTTP_CLIENT_CONNECT_TIMEOUT.
The exit code is 0 when all went well, 1 when a URL cannot be requested or a request failed.`

export interface Output {
  readonly line: (text: string) => Effect.Effect<void>
  readonly error: (text: string) => Effect.Effect<void>
}

/** False when something failed. What fails is one line of `error`. */
export const main = <E>(
  args: ReadonlyArray<string>,
  output: Output,
  layer: Layer.Layer<Provided, E>
): Effect.Effect<boolean> => {
  const options = new Set(args.filter((arg) => arg.startsWith("-")))
  const urls = args.filter((arg) => !arg.startsWith("-"))
  const unknown = [...options].find((option) => !["--send", "--json", "--help", "-h"].includes(option))
  if (unknown !== undefined) {
    return Effect.as(output.error(`${unknown} is not an option; see sluice-doctor --help`), false)
  }
  if (options.has("--help") || options.has("-h") || urls.length === 0) return Effect.as(output.line(help), true)
  const sends = options.has("--send")
  const show = options.has("--json") ? asJson : asText
  return Effect.forEach(urls, (url) =>
    Effect.gen(function*() {
      const explanation = yield* Explanation.explain(url)
      const visited = sends ? yield* Effect.either(visit(url)) : undefined
      yield* output.line(show(explanation, visited?._tag === "Right" ? visited.right : undefined))
      if (visited?._tag === "Left") return yield* visited.left
      return true
    }).pipe(
      Effect.catchAll((error) => Effect.as(output.error(error.message), false))
    )).pipe(
      Effect.map((results) => results.every((succeeded) => succeeded)),
      Effect.provide(layer),
      Effect.catchAll((error) => Effect.as(output.error(error instanceof Error ? error.message : String(error)), false))
    )
}

type Show = (explanation: Explanation.Explanation, visited: Parameters<typeof describeVisit>[0] | undefined) => string

const asText: Show = (explanation, visited) =>
  [
    Explanation.describe(explanation),
    ...(visited === undefined ? [] : describeVisit(visited).map((line) => `  ${line}`))
  ].join("\n")

/** JSON has no Infinity. */
const asJson: Show = (explanation, visited) =>
  JSON.stringify(
    { ...explanation, ...(visited === undefined ? {} : { response: visited }) },
    (_key, value: unknown) => value === Infinity ? "Infinity" : value
  )
