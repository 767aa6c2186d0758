/**
 * User and password from a `.netrc` file, for `Credentials.withCredentials`.
 *
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Credentials from "@sluice/core/Credentials"
import { argument, check } from "@sluice/core/InvalidOptions"
import { netrc } from "@sluice/engine/client"
import * as optionTable from "@sluice/engine/options"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Redacted from "effect/Redacted"
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
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as Credentials from "@sluice/core/Credentials"
 * import { Netrc } from "@sluice/node"
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

const checked = (options: LoadOptions) => Either.getOrThrowWith(check(optionTable.netrc, options, "Netrc"), identity)

/**
 * The same from a file: by default that of the variable `NETRC`, or else `.netrc` in the home directory (on Windows `_netrc`
 * if there is no `.netrc`); there need be none of these. A file that was named and cannot be read is an error. It is read
 * once, when the effect is run.
 *
 * @example
 * ```ts
 * import { NodeFileSystem } from "@effect/platform-node"
 * import { HttpClientLayer, Netrc } from "@sluice/node"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const Client = Layer.unwrapEffect(
 *   Effect.map(Netrc.load(), (credentials) => HttpClientLayer.layer({ credentials }))
 * ).pipe(Layer.provide(NodeFileSystem.layer))
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
    const isAbsent = (error: PlatformError) => error._tag === "SystemError" && error.reason === "NotFound"
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
