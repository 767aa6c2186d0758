/** What a `.netrc` has for a host. */
export interface Entry {
  readonly login: string
  readonly password: string | undefined
}

/** By host, in lower case; that of `default` by undefined. */
export type Entries = ReadonlyMap<string | undefined, Entry>

interface Token {
  readonly text: string
  readonly isQuoted: boolean
}

/**
 * The entries of the text of a `.netrc`: `machine NAME` or `default`, and what follows of `login` (or `user`), `password` and
 * `account`, on one line or several. The first entry of a host counts, as for curl. A comment is a `#` where a word like
 * these may stand; a macro ends at the next empty line.
 */
export const parse = (text: string): Entries => {
  const entries = new Map<string | undefined, Entry>()
  let current: { login: string; password: string | undefined } | undefined
  const begin = (host: string | undefined) => {
    current = { login: "", password: undefined }
    if (!entries.has(host)) entries.set(host, current)
  }
  const tokens = new Tokens(text)
  for (let token = tokens.next(); token !== undefined; token = tokens.next()) {
    if (token.isQuoted) continue
    if (token.text.startsWith("#")) tokens.skipLine()
    else {
      switch (token.text.toLowerCase()) {
        case "machine":
          begin(hostOf(tokens.value()))
          break
        case "default":
          begin(undefined)
          break
        case "login":
        case "user": {
          const value = tokens.value()
          if (current !== undefined) current.login = value
          break
        }
        case "password": {
          const value = tokens.value()
          if (current !== undefined) current.password = value
          break
        }
        case "account":
          tokens.value()
          break
        case "macdef":
          tokens.skipMacro()
      }
    }
  }
  return entries
}

/** As URLs have it: in lower case, international names in ASCII. */
const hostOf = (name: string): string => {
  const url = /^[^\s/?#@\\]+$/.test(name) && URL.canParse(`http://${name}`) ? new URL(`http://${name}`) : undefined
  return url?.port === "" ? url.hostname : name.toLowerCase()
}

/** Words, or what stands in quotation marks on one line. */
class Tokens {
  private readonly pattern = /"((?:[^"\\\r\n]|\\[^\r\n])*)"(?=\s|$)|(\S+)/g

  constructor(private readonly text: string) {}

  next(): Token | undefined {
    const found = this.pattern.exec(this.text)
    if (found === null) return undefined
    return found[1] === undefined
      ? { text: found[2], isQuoted: false }
      : { text: found[1].replace(/\\(.)/g, (_, char: string) => escapes[char] ?? char), isQuoted: true }
  }

  value(): string {
    return this.next()?.text ?? ""
  }

  skipLine(): void {
    this.skipTo(/\n|$/g)
  }

  /** Its name is on the same line. */
  skipMacro(): void {
    this.skipTo(/\n[ \t]*\r?\n|$/g)
  }

  private skipTo(end: RegExp): void {
    end.lastIndex = this.pattern.lastIndex
    const found = end.exec(this.text)
    this.pattern.lastIndex = found === null ? this.text.length : found.index + found[0].length
  }
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" }
