/**
 * The head of a response. Everything beyond status, version and framing is a view: it is made from the head's text when
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
  /** Whether the connection may carry another exchange, as far as version, Connection and framing tell. */
  readonly keepAlive: boolean
  /** `Keep-Alive: timeout=`, in seconds, where valid. */
  readonly keepAliveTimeout: number | undefined
  /** `Keep-Alive: max=`, where valid. */
  readonly keepAliveMax: number | undefined
  /** As sent; in an answer to HEAD and in a 304 it does not frame anything. */
  readonly contentLength: number | undefined
}

/** Where the reason phrase begins: `HTTP/1.1 200 `. */
const reasonStart = 13

export class ReceivedHead implements ResponseHead {
  private fields: ReadonlyArray<string> | undefined = undefined

  /**
   * @param text the head, one character an octet, from the status line to the empty line
   * @param offsets for each field the start and end of its name and the start and end of its value in `text`
   * @param keepAliveField the index in `offsets` of the Keep-Alive field, or -1
   */
  constructor(
    readonly status: number,
    readonly minorVersion: 0 | 1,
    readonly keepAlive: boolean,
    readonly contentLength: number | undefined,
    private readonly text: string,
    private readonly reasonEnd: number,
    private readonly offsets: ReadonlyArray<number>,
    private readonly keepAliveField: number
  ) {}

  get reasonPhrase(): string {
    return this.text.slice(reasonStart, this.reasonEnd)
  }

  get rawHeaders(): ReadonlyArray<string> {
    return this.fields ??= readFields(this.text, this.offsets)
  }

  get keepAliveTimeout(): number | undefined {
    return this.keepAliveParameter("timeout")
  }

  get keepAliveMax(): number | undefined {
    return this.keepAliveParameter("max")
  }

  private keepAliveParameter(name: string): number | undefined {
    const at = this.keepAliveField
    if (at < 0) return undefined
    return parameter(this.text.slice(this.offsets[at + 2], this.offsets[at + 3]), name)
  }
}

/** Lower-cases the text once, natively, rather than each name: no character of latin1 changes its length. */
export const readFields = (text: string, offsets: ReadonlyArray<number>): ReadonlyArray<string> => {
  const lowerCase = text.toLowerCase()
  const fields = new Array<string>(offsets.length / 2)
  let field = 0
  for (let i = 0; i < offsets.length; i += 4) {
    fields[field++] = lowerCase.slice(offsets[i], offsets[i + 1])
    fields[field++] = text.slice(offsets[i + 2], offsets[i + 3])
  }
  return fields
}

/** A number of `name=number, name=number`, the form of Keep-Alive that RFC 2068 §19.7.1.1 left behind. */
const parameter = (value: string, name: string): number | undefined => {
  for (const part of value.split(",")) {
    const equals = part.indexOf("=")
    if (equals < 0 || part.slice(0, equals).trim().toLowerCase() !== name) continue
    const digits = part.slice(equals + 1).trim()
    return /^\d{1,9}$/.test(digits) ? Number(digits) : undefined
  }
  return undefined
}
