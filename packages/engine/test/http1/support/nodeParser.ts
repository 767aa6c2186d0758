import { Buffer } from "node:buffer"
import { createRequire } from "node:module"
import type { Transcript } from "./transcript.js"

// Node's own parser, llhttp behind a binding, as `node:http` uses it. The module is not public, which is why it has no
// types; only tests and benchmarks touch it.
const { HTTPParser } = createRequire(import.meta.url)("node:_http_common") as {
  readonly HTTPParser: any
}

const skipBody = 1
const upgrade = 2

/**
 * Feeds the pieces to Node's parser, then the end of the stream. The callbacks return what those of `_http_client` do, with
 * one exception: it makes a tunnel of every response to CONNECT, here only 2xx is one (RFC 9110 §9.3.6).
 */
export const runNode = (method: string, pieces: ReadonlyArray<Uint8Array>): Transcript => {
  const informational: Array<ReadonlyArray<string>> = []
  let head: ReadonlyArray<string> = []
  let keepAlive = false
  let body = ""
  let trailers: Array<string> = []
  let complete = false
  let upgraded = false
  let isInformational = false
  let pending: Array<string> = []

  const parser = new HTTPParser()
  // A response head of 64 KiB, as our default; lenient in nothing.
  parser.initialize(HTTPParser.RESPONSE, {}, 64 * 1024, HTTPParser.kLenientNone)
  parser[HTTPParser.kOnHeaders] = (headers: Array<string>) => {
    pending.push(...headers)
  }
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    minor: number,
    headers: Array<string> | undefined,
    _method: unknown,
    _url: unknown,
    status: number,
    reason: string,
    upgrading: boolean,
    shouldKeepAlive: boolean
  ) => {
    const all = lowerCase([...pending, ...(headers ?? [])])
    pending = []
    // A second final response is nothing that a client would look at.
    if (complete) return 0
    const line = [`1.${minor}`, String(status), reason, ...all]
    isInformational = status < 200 && status >= 100 && status !== 101
    if (upgrading || (method === "CONNECT" && status >= 200 && status < 300)) {
      head = line
      upgraded = true
      return upgrade
    }
    if (isInformational) {
      informational.push(line)
      return skipBody
    }
    head = line
    keepAlive = shouldKeepAlive
    return method === "HEAD" ? skipBody : 0
  }
  parser[HTTPParser.kOnBody] = (bytes: Buffer) => {
    if (!complete) body += bytes.toString("latin1")
  }
  parser[HTTPParser.kOnMessageComplete] = () => {
    if (complete || isInformational) return
    trailers = lowerCase(pending)
    pending = []
    complete = !upgraded
  }

  let code = ""
  let rest = ""
  for (const piece of pieces) {
    if (upgraded) {
      rest += Buffer.from(piece).toString("latin1")
      continue
    }
    const taken: number | (Error & { code: string; reason?: string }) = parser.execute(Buffer.from(piece))
    if (typeof taken !== "number") {
      if (!complete) code = `${taken.code} ${taken.reason ?? ""}`
      break
    }
    if (upgraded) rest += Buffer.from(piece).toString("latin1", taken)
    if (complete) break
  }
  if (code === "" && !complete && !upgraded) parser.finish()
  const end = complete ? "complete" : upgraded ? "upgraded" : code !== "" ? "rejected" : "incomplete"
  parser.close()
  return { informational, head, keepAlive, body, trailers, end, rest, code }
}

const lowerCase = (headers: Array<string>): Array<string> =>
  headers.map((text, i) => i % 2 === 0 ? text.toLowerCase() : text)
