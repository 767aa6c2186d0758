import { redactQuery } from "../call/index.js"
import { percentDecode } from "../percentDecode.js"
import { unawaited } from "../unawaited.js"

/** What may be shown of a path: a token in it looks like any other word. */
type RedactPath = (path: string) => string

/** A hook of the caller's that throws shows nothing, and so does one that returns no text. */
export const guarded = (redactPath: RedactPath): RedactPath => (path) => {
  try {
    const shown: unknown = redactPath(path)
    if (typeof shown === "string") return shown
    unawaited(shown)
  } catch {}
  return "/REDACTED"
}

/** What may be shown of a URL. What has not parsed is not shown at all. */
export const shownUrl = (text: string, redactPath: RedactPath | undefined): string => {
  const url = parse(text)
  if (url === undefined || !isHttp(url)) return unnamed(url)
  return url.origin + (redactPath === undefined ? url.pathname : redactPath(url.pathname)) + redactQuery(url.search)
}

/** Whether a URL has more than what may be shown of it anywhere. */
export const hasHiddenParts = (url: string): boolean => /[?#@]/.test(url) || !/^https?:\/\//.test(url)

/** A URL in parts: what may be shown, and beside it what asks for the same when it is sent again. */
export interface DividedUrl {
  readonly url: string
  /** Of a URL that is one of http. */
  readonly query: ReadonlyArray<readonly [string, string]> | undefined
  /** `user:password`. */
  readonly credentials: string | undefined
}

/** By what was parsed and not by a pattern. */
export const divideUrl = (text: string): DividedUrl => {
  const url = parse(text)
  if (url === undefined || !isHttp(url)) return { url: unnamed(url), query: undefined, credentials: undefined }
  return {
    url: url.origin + url.pathname,
    query: [...url.searchParams],
    credentials: url.username === "" && url.password === ""
      ? undefined
      : `${percentDecode(url.username)}:${percentDecode(url.password)}`
  }
}

/** Names of parameters for people; one without a value may be all secret. */
export const redactPairs = (
  pairs: ReadonlyArray<readonly [string, unknown]>
): ReadonlyArray<readonly [string, string]> =>
  pairs.map(([name, value]) => value === "" ? ["REDACTED", ""] : [name, "REDACTED"])

const isHttp = ({ protocol }: URL): boolean => protocol === "http:" || protocol === "https:"

/** What stands before the colon may be a user's name. */
const unnamed = (url: URL | undefined): string =>
  url === undefined ? "<invalid URL>" : "<URL that is not http: or https:>"

const parse = (url: string): URL | undefined => {
  try {
    return new URL(url)
  } catch {
    return undefined
  }
}
