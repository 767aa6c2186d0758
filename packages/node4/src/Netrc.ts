/**
 * User and password from a `.netrc` file, for `Credentials.withCredentials`.
 *
 * @since 0.1.0
 */
import * as Credentials from "@sluice/core4/Credentials"
import * as Redacted from "effect/Redacted"

/**
 * The credentials that the text of a `.netrc` file has for a URL's host, sent as Basic: by `machine`, or by `default` after
 * all of those. They are sent over https alone, unless `insecure` says otherwise. Macros are skipped.
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
export const parse = (
  text: string,
  { insecure = false }: { readonly insecure?: boolean | undefined } = {}
): (url: URL) => Credentials.Credential | undefined => {
  const machines = new Map<string | undefined, { login: string; password: string | undefined }>()
  let current: { login: string; password: string | undefined } | undefined
  // A macro ends at an empty line, a comment at the end of its line.
  const tokens = text.replace(/^[ \t]*macdef[^]*?(\n[ \t]*\r?\n|(?![^]))/gm, "\n").replace(/^[ \t]*#.*$/gm, "")
    .match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []
  for (let i = 0; i < tokens.length; i++) {
    const value = () => unquoted(tokens[++i] ?? "")
    switch (tokens[i]) {
      case "machine":
      case "default": {
        const host = tokens[i] === "default" ? undefined : value().toLowerCase()
        current = { login: "", password: undefined }
        // The first one counts, as for curl.
        if (!machines.has(host)) machines.set(host, current)
        break
      }
      case "login":
        if (current !== undefined) current.login = value()
        break
      case "password":
        if (current !== undefined) current.password = value()
        break
      case "account":
        value()
        break
    }
  }
  return ({ hostname, protocol }) => {
    const entry = machines.get(hostname) ?? machines.get(undefined)
    return entry?.password === undefined || (protocol !== "https:" && !insecure)
      ? undefined
      : Credentials.basic(entry.login, Redacted.make(entry.password))
  }
}

const unquoted = (token: string): string => token.startsWith("\"") ? token.slice(1, -1).replace(/\\(.)/g, "$1") : token
