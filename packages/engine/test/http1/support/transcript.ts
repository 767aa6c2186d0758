import { Buffer } from "node:buffer"
import type { ParserLimits } from "../../../src/http1/ParserLimits.js"
import { defaultParserLimits } from "../../../src/http1/ParserLimits.js"
import type { ProtocolError } from "../../../src/http1/ProtocolError.js"
import type { ResponseHead } from "../../../src/http1/ResponseHead.js"
import type { ParseOutcome } from "../../../src/http1/ResponseParser.js"
import { ResponseParser } from "../../../src/http1/ResponseParser.js"

/** What became of a response: the same shape for our parser and for Node's. */
export interface Transcript {
  /** Status and fields of each 1xx response. */
  readonly informational: ReadonlyArray<ReadonlyArray<string>>
  /** `[version, status, reason, name, value, …]`, or nothing if there was no final head. */
  readonly head: ReadonlyArray<string>
  readonly keepAlive: boolean
  readonly body: string
  readonly trailers: ReadonlyArray<string>
  readonly end:
    | "complete"
    /** Another protocol begins. */
    | "upgraded"
    /** Refused while it came in. */
    | "rejected"
    /** Not refused, but the stream ended too early. */
    | "incomplete"
  /** Bytes after the end, for another protocol or unasked for. */
  readonly rest: string
  /** Why, where it was rejected. */
  readonly code: string
}

export const latin1 = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1", start, end)

export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"))

/** `input` cut at each of `cuts`, which are in ascending order. */
export const split = (input: Uint8Array, cuts: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const pieces: Array<Uint8Array> = []
  let from = 0
  for (const cut of [...cuts, input.length]) {
    if (cut > from && cut <= input.length) {
      pieces.push(input.slice(from, cut))
      from = cut
    }
  }
  return pieces
}

export const everyByte = (input: Uint8Array): ReadonlyArray<number> => Array.from(input, (_, i) => i)

const headOf = (head: ResponseHead): ReadonlyArray<string> => [
  `1.${head.minorVersion}`,
  String(head.status),
  head.reasonPhrase,
  ...head.rawHeaders
]

/** Everything the parser said, a line each; content is joined, since where it is cut depends on the input. */
export interface Run {
  readonly transcript: Transcript
  readonly outcome: ParseOutcome | undefined
  readonly log: ReadonlyArray<string>
}

/** Feeds the pieces to our parser, then the end of the stream. */
export const runOurs = (
  method: string,
  pieces: ReadonlyArray<Uint8Array>,
  limits: ParserLimits = defaultParserLimits
): Run => {
  const informational: Array<ReadonlyArray<string>> = []
  const log: Array<string> = []
  let head: ResponseHead | undefined
  let body = ""
  let bodyLine = -1
  let trailers: ReadonlyArray<string> = []
  let complete = false
  const parser = new ResponseParser({
    onInformational: (received) => {
      informational.push(headOf(received))
      log.push(`informational ${headOf(received).join("|")}`)
    },
    onHead: (received) => {
      head = received
      log.push(
        `head ${headOf(received).join("|")} ${received.keepAlive} ${received.contentLength} ` +
          `${received.keepAliveTimeout} ${received.keepAliveMax}`
      )
    },
    onBody: (bytes, start, end) => {
      if (start >= end) log.push("empty body")
      if (complete || head === undefined) log.push("body out of order")
      body += latin1(bytes, start, end)
      if (bodyLine < 0) bodyLine = log.push("") - 1
      log[bodyLine] = `body ${body}`
    },
    onComplete: (received) => {
      trailers = received
      complete = true
      log.push(`complete ${received.join("|")}`)
    }
  }, { limits, latin1 })
  parser.start(method)
  let outcome: ParseOutcome | undefined
  let rest = ""
  let state = parser.state
  for (const piece of pieces) {
    outcome = parser.execute(piece, 0, piece.length)
    if (outcome !== undefined && "offset" in outcome) rest += latin1(piece, outcome.offset, piece.length)
    if (outcome === undefined ? parser.state === "failed" : outcome._tag === "ProtocolError") break
  }
  state = parser.state
  const missing = parser.finish()
  if (outcome === undefined && missing !== undefined) outcome = missing
  const error: ProtocolError | undefined = outcome?._tag === "ProtocolError" ? outcome : undefined
  if (error !== undefined) log.push(`${error.code}: ${error.message} (${error.section})`)
  else if (outcome !== undefined) log.push(`${outcome._tag} ${rest}`)
  return {
    log,
    outcome,
    transcript: {
      informational,
      head: head === undefined ? [] : headOf(head),
      keepAlive: head?.keepAlive ?? false,
      body,
      trailers,
      end: complete ? "complete" : state === "upgraded" ? "upgraded" : state === "failed" ? "rejected" : "incomplete",
      rest,
      code: error?.code ?? ""
    }
  }
}
