/**
 * Our HTTP/1.1 parser and Node's own (llhttp behind its binding, driven as `node:http` drives it) on the same responses, in
 * turn, in one process.
 *
 *   node bench/dist/micro/http1Parser.js [--quick]
 *
 * "read" also takes the fields out of the head, which Node's parser always does and ours only when asked.
 */
import type { ResponseHandler } from "@sluice/engine/http1"
import { defaultParserLimits, ResponseParser } from "@sluice/engine/http1"
import { Buffer } from "node:buffer"
import { createRequire } from "node:module"
import process from "node:process"

const { HTTPParser } = createRequire(import.meta.url)("node:_http_common") as {
  // Not public, hence without types.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly HTTPParser: any
}

const head = "HTTP/1.1 200 OK\r\n" +
  "Server: nginx/1.26.3\r\n" +
  "Date: Fri, 20 Nov 2026 06:14:00 GMT\r\n" +
  "Content-Type: application/json; charset=utf-8\r\n" +
  "Content-Length: 27\r\n" +
  "Last-Modified: Thu, 19 Nov 2026 10:00:00 GMT\r\n" +
  "Connection: keep-alive\r\n" +
  "ETag: \"65a1b2c3-1b\"\r\n" +
  "Cache-Control: public, max-age=3600\r\n" +
  "X-Request-Id: 7b6d5d5c-9d1f-4a4a-9999-0c6f0a51d7e2\r\n\r\n"
const small = `${head}{"message":"hello, world!"}`
const chunkedHead = head.replace("Content-Length: 27", "Transfer-Encoding: chunked")
const chunked = `${chunkedHead}1b\r\n{"message":"hello, world!"}\r\n0\r\n\r\n`

interface Case {
  readonly name: string
  readonly pieces: ReadonlyArray<Buffer>
  readonly readFields: boolean
}

const whole = (text: string): ReadonlyArray<Buffer> => [Buffer.from(text, "latin1")]
const halves = (text: string): ReadonlyArray<Buffer> => [
  Buffer.from(text.slice(0, 150), "latin1"),
  Buffer.from(text.slice(150), "latin1")
]

const cases: ReadonlyArray<Case> = [
  { name: `9 headers, ${head.length} bytes, short body`, pieces: whole(small), readFields: false },
  { name: "the same, read", pieces: whole(small), readFields: true },
  { name: "the same in two pieces", pieces: halves(small), readFields: false },
  { name: "chunked", pieces: whole(chunked), readFields: false },
  { name: "64 KiB body", pieces: whole(head.replace("27", "65536") + "x".repeat(65_536)), readFields: false }
]

// What the callbacks see is added up, so that no work is without effect.
let seen = 0
let messages = 0

const node = ({ pieces }: Case) => {
  const parser = new HTTPParser()
  parser.initialize(HTTPParser.RESPONSE, {}, 64 * 1024, HTTPParser.kLenientNone)
  parser[HTTPParser.kOnHeaders] = (headers: Array<string>) => {
    seen += headers.length
  }
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    headers: Array<string> | undefined,
    _method: unknown,
    _url: unknown,
    status: number
  ) => {
    seen += status + (headers === undefined ? 0 : headers.length)
    return 0
  }
  parser[HTTPParser.kOnBody] = (bytes: Buffer) => {
    seen += bytes.length
  }
  parser[HTTPParser.kOnMessageComplete] = () => {
    messages++
  }
  return (times: number) => {
    for (let i = 0; i < times; i++) {
      for (let p = 0; p < pieces.length; p++) {
        if (typeof parser.execute(pieces[p]) !== "number") throw new Error("Node's parser refused")
      }
    }
  }
}

type Slice = (this: Uint8Array, start: number, end: number) => string
const latin1Slice = (Buffer.prototype as unknown as { readonly latin1Slice: Slice }).latin1Slice

const ours = ({ pieces, readFields }: Case) => {
  const handler: ResponseHandler = {
    onInformational: () => {},
    onHead: (head) => {
      seen += head.status
      if (readFields) seen += head.rawHeaders.length
    },
    onBody: (_, start, end) => {
      seen += end - start
    },
    onComplete: () => {
      messages++
    }
  }
  const parser = new ResponseParser(handler, {
    limits: defaultParserLimits,
    latin1: (bytes, start, end) => latin1Slice.call(bytes, start, end)
  })
  return (times: number) => {
    for (let i = 0; i < times; i++) {
      parser.start("GET")
      for (let p = 0; p < pieces.length; p++) {
        if (parser.execute(pieces[p], 0, pieces[p].length) !== undefined) throw new Error("our parser refused")
      }
    }
  }
}

const quick = process.argv.includes("--quick")
const rounds = quick ? 5 : 15
const times = quick ? 20_000 : 100_000

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1]

const nanoseconds = (run: (times: number) => void): number => {
  const from = process.hrtime.bigint()
  run(times)
  return Number(process.hrtime.bigint() - from) / times
}

console.log(`node ${process.version}, llhttp ${process.versions.llhttp}; median of ${rounds} rounds, ns per response`)
for (const each of cases) {
  const theirs = node(each)
  const own = ours(each)
  nanoseconds(theirs)
  nanoseconds(own)
  const a: Array<number> = []
  const b: Array<number> = []
  for (let round = 0; round < rounds; round++) {
    a.push(nanoseconds(theirs))
    b.push(nanoseconds(own))
  }
  const [nodes, sluices] = [median(a), median(b)]
  console.log(
    `${each.name.padEnd(36)} node ${nodes.toFixed(0).padStart(6)}   sluice ${sluices.toFixed(0).padStart(6)}   ` +
      `${(nodes / sluices).toFixed(2)} times as fast`
  )
}
if (seen === 0 || messages !== cases.length * 2 * (rounds + 1) * times) throw new Error("a response was missed")
