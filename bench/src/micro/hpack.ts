/**
 * HPACK by itself: the head of a request encoded, the head of a response decoded, in nanoseconds for each.
 *
 *   node bench/dist/micro/hpack.js [--quick]
 *
 * "repeated" heads have the same fields each time, "different" ones a new value in each field that can have one. A server
 * either uses the dynamic table or, as nginx does, sends each field as a literal every time.
 */
import { HpackDecoder, HpackEncoder } from "@sluice/engine/http2/hpack"
import { Buffer } from "node:buffer"
import process from "node:process"

const quick = process.argv.includes("--quick")
const rounds = quick ? 5 : 15
const times = quick ? 20_000 : 100_000
/** So many heads go round, so that "different" means what it says. */
const variety = 4096

type Slice = (this: Uint8Array, start: number, end: number) => string
const latin1Slice = (Buffer.prototype as unknown as { readonly latin1Slice: Slice }).latin1Slice

const hexOf = (i: number): string => (i * 2_654_435_761 >>> 0).toString(16).padStart(8, "0")

const request = (i: number): ReadonlyArray<string> => [
  ...[":method", "GET"],
  ...[":scheme", "https"],
  ...[":authority", "api.example.com"],
  ...[":path", `/v1/orders/${hexOf(i)}?expand=items&page=${i}`],
  ...["accept", `application/json;q=0.${i}`],
  ...["user-agent", `sluice/0.1.0 (${hexOf(i)})`],
  ...["authorization", `Bearer ${hexOf(i)}${hexOf(i + 1)}${hexOf(i + 2)}${hexOf(i + 3)}${hexOf(i + 4)}`],
  ...["traceparent", `00-${hexOf(i)}${hexOf(i + 5)}${hexOf(i + 6)}${hexOf(i + 7)}-${hexOf(i)}${hexOf(i + 8)}-01`],
  ...["x-request-id", `7b6d5d5c-9d1f-4a4a-9999-${hexOf(i)}`]
]

const response = (i: number): ReadonlyArray<string> => [
  ...[":status", "200"],
  ...["server", `nginx/1.26.${i}`],
  ...["date", `Fri, 20 Nov 2026 06:14:00 GMT ${i}`],
  ...["content-type", `application/json; charset=utf-8; v=${i}`],
  ...["content-length", `${27 + i}`],
  ...["last-modified", `Thu, 19 Nov 2026 10:00:00 GMT ${i}`],
  ...["etag", `"65a1b2c3-${hexOf(i)}"`],
  ...["cache-control", `public, max-age=${3600 + i}`],
  ...["x-request-id", `7b6d5d5c-9d1f-4a4a-9999-${hexOf(i)}`]
]

const sink = {
  bytes: new Uint8Array(1 << 16),
  end: 0,
  ensure: (octets: number) => {
    if (sink.end + octets > sink.bytes.length) sink.end = 0
  }
}

// What comes out is added up, so that no work is without effect.
let seen = 0

const encoding = (head: (i: number) => ReadonlyArray<string>) => {
  const encoder = new HpackEncoder()
  const heads = Array.from({ length: variety }, (_, i) => head(i))
  return (count: number) => {
    for (let i = 0; i < count; i++) {
      sink.end = 0
      if (!encoder.encode(sink, heads[i % variety])) throw new Error("refused")
      seen += sink.end
    }
  }
}

const decoding = (head: (i: number) => ReadonlyArray<string>, sender: HpackEncoder) => {
  const decoder = new HpackDecoder({
    maxListBytes: 65_536,
    maxDecodedBytes: 1 << 20,
    latin1: (bytes, start, end) => latin1Slice.call(bytes, start, end)
  })
  const block = (i: number): Uint8Array => {
    sink.end = 0
    if (!sender.encode(sink, head(i))) throw new Error("refused")
    return sink.bytes.slice(0, sink.end)
  }
  const decode = (bytes: Uint8Array): void => {
    if (decoder.decode(bytes, 0, bytes.length) !== undefined) throw new Error("refused")
    seen += decoder.fields.length
  }
  // What enters the table enters it here; the blocks after that change nothing, so they can go round.
  for (let i = 0; i < 64; i++) decode(block(i))
  const blocks = Array.from({ length: variety }, (_, i) => block(i))
  return (count: number) => {
    for (let i = 0; i < count; i++) decode(blocks[i % variety])
  }
}

const indexing = (): HpackEncoder => new HpackEncoder()
const literals = (): HpackEncoder => new HpackEncoder({ maxTableSize: 0 })
const same = (head: (i: number) => ReadonlyArray<string>) => () => head(1)
/** Strings of its own each time, as a caller makes them that builds a head for each request. */
const sameAnew = (head: (i: number) => ReadonlyArray<string>) => () =>
  head(1).map((text) => Buffer.from(text).toString("latin1"))
/** The second that the date changes in, a hundred times as often. */
const dateChanges = (i: number): ReadonlyArray<string> =>
  response(1).map((text, at) => at === 5 ? `date ${i >> 7}` : text)

const cases: ReadonlyArray<readonly [string, (count: number) => void]> = [
  ["encode a request, repeated", encoding(same(request))],
  ["encode a request, repeated, strings made anew", encoding(sameAnew(request))],
  ["encode a request, different", encoding(request)],
  ["decode a response, repeated, indexed", decoding(same(response), indexing())],
  ["decode a response, repeated, literals", decoding(same(response), literals())],
  ["decode a response, literals, date changes", decoding(dateChanges, literals())],
  ["decode a response, different, literals", decoding(response, literals())]
]

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1]

/** Of CPU, so that what else the machine does is not in it. */
const nanoseconds = (run: (count: number) => void): number => {
  const from = process.cpuUsage()
  run(times)
  const { system, user } = process.cpuUsage(from)
  return (user + system) * 1000 / times
}

console.log(`node ${process.version}; median of ${rounds} rounds, ns of CPU per head of 9 fields`)
for (const [, run] of cases) nanoseconds(run)
const measured = cases.map((): Array<number> => [])
for (let round = 0; round < rounds; round++) cases.forEach(([, run], i) => measured[i].push(nanoseconds(run)))
cases.forEach(([name], i) => console.log(`${name.padEnd(46)} ${median(measured[i]).toFixed(0).padStart(6)}`))
if (seen === 0) throw new Error("nothing was coded")
