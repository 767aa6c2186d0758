import { domainToASCII } from "node:url"
import { type AddressPolicySettings, readPolicy as readLists } from "../network/index.js"
import { type Problem, showKey } from "../options/index.js"
import type { KnownPolicy } from "./OriginNetwork.js"

/** Reads the option; undefined where everything may be reached. */
export const readPolicy = (
  option: "public-only" | AddressPolicySettings | undefined,
  path = "addressPolicy"
): KnownPolicy | ReadonlyArray<Problem> | undefined => {
  if (option === undefined) return undefined
  const settings = option === "public-only" ? { publicOnly: true } : option
  const judge = readLists(settings, domainToASCII)
  if (typeof judge === "function") return { judge, throughProxy: settings.throughProxy ?? "resolve-here" }
  const expected = "names, addresses, ranges or paths, as in [\"api.example.com\", \"10.0.0.0/8\"]"
  return [{ _tag: "InvalidValue", option: `${path}.${judge.list}`, received: showKey(judge.invalid), expected }]
}
