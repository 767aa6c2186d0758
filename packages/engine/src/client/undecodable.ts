import { describeCause } from "../format.js"
import { quoteStart } from "../http1/index.js"

/** What is looked at of a response. */
interface Received {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** How codings begin that somebody has not undone. */
const magic: ReadonlyArray<readonly [string, ReadonlyArray<number>]> = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["deflate", [0x78, 0x01]],
  ["deflate", [0x78, 0x9c]],
  ["deflate", [0x78, 0xda]]
]

/** The text of an error page or of a proxy. What may be data, `{"password": …` or `token=…`, is nobody's to see. */
const isProse = (text: string): boolean => /^[<A-Za-z(]/.test(text) && (text.startsWith("<") || !/[={}]/.test(text))

/** How much of prose is shown: a tag, the beginning of a sentence. */
const shown = 64

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff)

const beginning = (bytes: Uint8Array): string => {
  const coding = magic.find(([, start]) => start.every((octet, i) => bytes[i] === octet))
  if (coding !== undefined) return `, and looks like ${coding[0]} that was not decoded`
  const text = String.fromCharCode(...bytes.subarray(0, 2 * shown)).trimStart()
  return isProse(text) ? `, and begins with ${quoteStart(latin1(text), 0, text.length)}` : ""
}

/** `200 text/html, coded gzip, and begins with "<html>…"`. */
const describe = ({ headers, status }: Received, bytes: Uint8Array): string => {
  const type = headers["content-type"]
  const coding = headers["content-encoding"]
  return `it came with status ${status} and ${
    type === undefined ? "no content-type" : `content-type ${quoted(type)}`
  }` +
    (coding === undefined ? "" : ` (content-encoding ${quoted(coding)} was not decoded)`) +
    (bytes.length === 0 ? ", and is empty" : beginning(bytes))
}

/** What a server names is printed as far as it can be a name. */
const quoted = (value: string): string => value.replace(/[^\x20-\x7e]/g, "?").slice(0, 80)

/** What `JSON.parse` says quotes the body, so it is not shown but for the position. */
export const invalidJson = (cause: unknown, response: Received, bytes: Uint8Array): SyntaxError => {
  const at = /at position (\d+)/.exec(describeCause(cause))
  const where = at === null ? "" : `, at position ${at[1]}`
  return new SyntaxError(`the body is no valid JSON${where}; ${describe(response, bytes)}`)
}

export const invalidForm = (cause: unknown, response: Received, bytes: Uint8Array): Error =>
  new Error(`the body is no form; ${describe(response, bytes)}`, { cause })
