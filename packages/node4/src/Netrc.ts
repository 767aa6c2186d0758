/**
 * User and password from a `.netrc` file, for `Credentials.withCredentials`.
 *
 * @since 0.1.0
 */
import * as Credentials from "@sluice/core4/Credentials"
import { argument, check } from "@sluice/core4/InvalidOptions"
import { netrc } from "@sluice/engine/client"
import * as optionTable from "@sluice/engine/options"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { identity } from "effect/Function"
import type { PlatformError } from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { homedir } from "node:os"
import { join } from "node:path"

/**
 * Which credential a `.netrc` has for a URL: what `Credentials.withCredentials` takes.
 *
 * @since 0.1.0
 * @category models
 */
export type Lookup = (url: URL) => Credentials.Credential | undefined

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Whether passwords are sent over http too, where everybody on the way can read them. Default `false`. */
  readonly insecure?: boolean | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface LoadOptions extends Options {
  /** Default: `NETRC` of the environment, or `.netrc` in the home directory. */
  readonly path?: string | undefined
}

/**
 * The credentials that the text of a `.netrc` file has for a URL's host, sent as Basic: by `machine`, or by `default` where
 * no machine has that name. They are sent over https alone, unless `insecure` says otherwise. Macros are skipped.
 *
 * @example
 * ```ts
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as Credentials from "@sluice/core4/Credentials"
 * import { Netrc } from "@sluice/node4"
 * import * as Effect from "effect/Effect"
 *
 * const client = Effect.map(
 *   HttpClient.HttpClient,
 *   Credentials.withCredentials(Netrc.parse("machine api.example.com login ada password secret"))
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = (text: string, options: Options = {}): Lookup => {
  argument("Netrc.parse: text", text, (given) => typeof given === "string", "the text of a file", true)
  return lookup(netrc.parse(text), checked(options))
}

const checked = (options: LoadOptions) => Result.getOrThrowWith(check(optionTable.netrc, options, "Netrc"), identity)

/**
 * The same from a file: by default that of the variable `NETRC`, or else `.netrc` in the home directory (on Windows `_netrc`
 * if there is no `.netrc`); there need be none of these. A file that was named and cannot be read is an error. It is read
 * once, when the effect is run.
 *
 * @example
 * ```ts
 * import { HttpClientLayer, Netrc } from "@sluice/node4"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * // It needs a FileSystem, as `NodeServices.layer` of @effect/platform-node provides it.
 * const Client = Layer.unwrap(
 *   Effect.map(Netrc.load(), (credentials) => HttpClientLayer.layer({ credentials }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const load = (
  options: LoadOptions = {}
): Effect.Effect<Lookup, PlatformError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (files) => {
    const { insecure, path } = checked(options)
    const read = (path: string) => Effect.map(files.readFileString(path), (text) => parse(text, { insecure }))

    const named = path ?? nonEmpty(process.env["NETRC"])
    if (named !== undefined) return read(named)
    const isAbsent = (error: PlatformError) => error.reason._tag === "NotFound"
    return usualNames.reduceRight<Effect.Effect<Lookup, PlatformError>>(
      (others, name) => Effect.catchIf(Effect.suspend(() => read(join(homedir(), name))), isAbsent, () => others),
      Effect.succeed(() => undefined)
    )
  })

const usualNames: ReadonlyArray<string> = process.platform === "win32" ? [".netrc", "_netrc"] : [".netrc"]

const nonEmpty = (text: string | undefined): string | undefined => text === "" ? undefined : text

const lookup = (entries: netrc.Entries, { insecure = false }: Options): Lookup => ({ hostname, protocol }) => {
  const entry = entries.get(hostname) ?? entries.get(hostname.replace(/^\[|\]$/g, "")) ?? entries.get(undefined)
  return entry?.password === undefined || (protocol !== "https:" && !insecure)
    ? undefined
    : Credentials.basic(entry.login, Redacted.make(entry.password))
}
