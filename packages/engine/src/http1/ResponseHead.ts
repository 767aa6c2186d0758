import * as Characters from "./Characters.js"

/**
 * The response head. Everything beyond status, version and framing is a view: it is made from the head's text when
 * it is first asked for, and it outlives the parser's buffers.
 */
export interface ResponseHead {
  readonly status: number
  readonly minorVersion: 0 | 1
  readonly reasonPhrase: string
  /**
   * `[name, value, name, value, …]` in the order received: names in lower case, values without surrounding whitespace,
   * one character an octet (latin1).
   */
  readonly rawHeaders: ReadonlyArray<string>
  /** Whether the connection may carry another exchange, as far as version, Connection and framing say. */
  readonly keepAlive: boolean
  /** `Keep-Alive: timeout=`, in seconds, where valid. */
  readonly keepAliveTimeout: number | undefined
  /** `Keep-Alive: max=`, where valid. */
  readonly keepAliveMax: number | undefined
  /** As sent; in a response to HEAD and in a 304 it does not frame anything. */
  readonly contentLength: number | undefined
  /** Whether there is a Content-Encoding. */
  readonly isCoded: boolean
}

/** Where the reason phrase begins: `HTTP/1.1 200 `. */
const reasonStart = 13

export class ReceivedHead implements ResponseHead {
  private fields: ReadonlyArray<string> | undefined = undefined

  /**
   * @param text the response head, one character an octet, from the status line to the empty line
   * @param keepAliveStart where the value of the Keep-Alive field begins in `text`, or -1
   */
  constructor(
    readonly status: number,
    readonly minorVersion: 0 | 1,
    readonly keepAlive: boolean,
    readonly contentLength: number | undefined,
    readonly isCoded: boolean,
    private readonly text: string,
    private readonly reasonEnd: number,
    private readonly keepAliveStart: number,
    private readonly keepAliveEnd: number
  ) {}

  get reasonPhrase(): string {
    return this.text.slice(reasonStart, this.reasonEnd)
  }

  get rawHeaders(): ReadonlyArray<string> {
    return this.fields ??= readFields(this.text, this.reasonEnd + 2)
  }

  get keepAliveTimeout(): number | undefined {
    return this.keepAliveParameter("timeout")
  }

  get keepAliveMax(): number | undefined {
    return this.keepAliveParameter("max")
  }

  private keepAliveParameter(name: string): number | undefined {
    const { keepAliveEnd, keepAliveStart, text } = this
    return keepAliveStart < 0 ? undefined : parameter(text.slice(keepAliveStart, keepAliveEnd), name)
  }
}

/**
 * The fields of a block whose first line begins at `start`. It has been scanned, so it is known to be in order. Most heads
 * are asked for no more than their status, so nothing is kept for this but the text.
 */
export const readFields = (text: string, start: number): ReadonlyArray<string> => {
  // Once, natively, rather than for each name: no character of latin1 changes its length.
  const lowerCase = text.toLowerCase()
  const fields: Array<string> = []
  let line = start
  for (let end = text.indexOf("\r\n", line); end > line; end = text.indexOf("\r\n", line)) {
    const colon = text.indexOf(":", line)
    fields.push(lowerCase.slice(line, colon), withoutWhitespace(text, colon + 1, end))
    line = end + 2
  }
  return fields
}

/** Optional whitespace is SP and HTAB (RFC 9110 §5.6.3); `trim` knows more. */
const withoutWhitespace = (text: string, start: number, end: number): string => {
  while (start < end && isWhitespace(text.charCodeAt(start))) start++
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

const isWhitespace = (code: number): boolean => code === Characters.SP || code === Characters.HTAB

/** A number of `name=number, name=number`, the form of Keep-Alive that RFC 2068 §19.7.1.1 left behind. */
const parameter = (value: string, name: string): number | undefined => {
  for (const parameter of value.split(",")) {
    const equals = parameter.indexOf("=")
    if (equals < 0 || parameter.slice(0, equals).trim().toLowerCase() !== name) continue
    const digits = parameter.slice(equals + 1).trim()
    return /^\d{1,9}$/.test(digits) ? Number(digits) : undefined
  }
  return undefined
}
