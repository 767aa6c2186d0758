import * as fc from "fast-check"
import * as Fs from "node:fs"

/** A response, valid, nearly valid or hostile, and how it comes in. */
export interface Exchange {
  readonly method: string
  /** One character an octet. */
  readonly input: string
  /** Where the input is cut. */
  readonly cuts: ReadonlyArray<number>
}

const weighted = <A>(...pairs: ReadonlyArray<readonly [weight: number, value: A]>): fc.Arbitrary<A> =>
  fc.oneof(...pairs.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })))

const method = weighted([8, "GET"], [2, "HEAD"], [1, "CONNECT"], [1, "POST"])

const statusLine = fc.tuple(
  weighted([20, "HTTP/1.1"], [4, "HTTP/1.0"], [1, "HTTP/1.2"], [1, "HTTP/2.0"], [1, "http/1.1"], [1, "HTTP/1.01"]),
  weighted([30, " "], [1, "  "], [1, "\t"], [1, ""]),
  weighted(
    [20, "200"],
    [4, "204"],
    [4, "304"],
    [3, "101"],
    [3, "404"],
    [2, "500"],
    [1, "205"],
    [1, "099"],
    [1, "999"],
    [1, "20"],
    [1, "2000"],
    [1, "2x0"]
  ),
  weighted([10, " OK"], [3, " "], [3, ""], [2, " Not Found"], [1, " a\tb"], [1, " \xe9t\xe9"], [1, " \x00"], [
    1,
    "  OK"
  ])
).map((parts) => parts.join(""))

const lineEnd = weighted([60, "\r\n"], [1, "\n"], [1, "\r"], [1, "\r\r\n"], [1, "\n\r"], [1, ""])

const framingField = weighted(
  [6, "Content-Length: 5"],
  [2, "content-length:5"],
  [1, "CONTENT-LENGTH: 05 "],
  [1, "Content-Length: 0"],
  [1, "Content-Length:\t5"],
  [1, "Content-Length: 5\t"],
  [1, "Content-Length: +5"],
  [1, "Content-Length: 5, 5"],
  [1, "Content-Length: 5 5"],
  [1, "Content-Length: 0x5"],
  [1, "Content-Length: "],
  [1, "Content-Length: 9007199254740993"],
  [1, "Content-Length: 99999999999999999999"],
  [1, "Content-Length : 5"],
  [1, "Content-Length: 6"],
  [8, "Transfer-Encoding: chunked"],
  [1, "transfer-encoding:CHUNKED "],
  [1, "Transfer-Encoding:\tchunked"],
  [1, "Transfer-Encoding: chunked\t"],
  [1, "Transfer-Encoding: gzip"],
  [1, "Transfer-Encoding: gzip, chunked"],
  [1, "Transfer-Encoding: chunked, gzip"],
  [1, "Transfer-Encoding: chunked, chunked"],
  [1, "Transfer-Encoding: ,chunked"],
  [1, "Transfer-Encoding: xchunked"],
  [1, "Transfer-Encoding: identity"],
  [1, "Transfer-Encoding:"],
  [1, "Transfer-Encoding\t: chunked"]
)

const connectionField = weighted(
  [4, "Connection: keep-alive"],
  [4, "Connection: close"],
  [2, "Connection: upgrade\r\nUpgrade: websocket"],
  [1, "Connection: Close"],
  [1, "Connection: keep-alive, close"],
  [1, "Connection: foo ,close"],
  [1, "Connection: close\r\nConnection: keep-alive"],
  [1, "Connection: closed"],
  [1, "Connection: , close,"],
  [1, "Connection:"],
  [1, "Proxy-Connection: close"],
  [1, "Proxy-Connection: keep-alive"],
  [1, "Upgrade: h2c"],
  [2, "Keep-Alive: timeout=5, max=100"],
  [1, "Keep-Alive: timeout=x"]
)

const token = fc.stringOf(fc.constantFrom(..."abcXYZ019!#$%&'*+-.^_`|~"), { minLength: 1, maxLength: 14 })
const value = fc.stringOf(fc.constantFrom(..."abc XYZ\t019,;=\"\\:/\x80\xff"), { maxLength: 20 })

const otherField = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(token, value).map(([name, text]) => `${name}: ${text}`) },
  {
    weight: 4,
    arbitrary: weighted([1, "Server: nginx"], [1, "ETag: \"a\""], [1, "Set-Cookie: a=b"], [1, "Date: now"])
  },
  {
    weight: 1,
    arbitrary: weighted(
      [1, ": x"],
      [1, "X"],
      [1, " folded: x"],
      [1, "A: b\r\n c"],
      [1, "A: b\x00"],
      [1, "A: \x7f"],
      [1, "A\x80: b"],
      [1, "A b: c"]
    )
  }
)

const field = fc.oneof(
  { weight: 3, arbitrary: otherField },
  { weight: 2, arbitrary: framingField },
  { weight: 1, arbitrary: connectionField }
)

const line = (content: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(content, lineEnd).map((parts) => parts.join(""))

const lines = (content: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<string> =>
  fc.array(line(content), { maxLength }).map((all) => all.join(""))

const head = fc.tuple(line(statusLine), lines(field, 6), lineEnd).map((parts) => parts.join(""))

const interim = fc.tuple(
  weighted([4, "HTTP/1.1 100 Continue\r\n"], [2, "HTTP/1.1 103 Early Hints\r\n"], [1, "HTTP/1.0 100 Continue\r\n"]),
  lines(fc.oneof({ weight: 4, arbitrary: otherField }, { weight: 1, arbitrary: field }), 2),
  weighted([20, "\r\n"], [1, "\n"])
).map((parts) => parts.join(""))

const extension = fc.oneof(
  { weight: 12, arbitrary: fc.constant("") },
  { weight: 4, arbitrary: weighted([1, ";a"], [1, ";a=b"], [1, ";a=\"b;c\\\"d\""], [1, ";a;b=c"]) },
  {
    weight: 2,
    arbitrary: weighted(
      [1, ";"],
      [1, ";;a"],
      [1, ";a="],
      [1, ";=b"],
      [1, " "],
      [1, " ;a"],
      [1, "; a"],
      [1, ";a = b"],
      [1, ";a=\"b"],
      [1, ";a=\"b\"c"],
      [1, ";a=\x80"],
      [1, ";a=\"\x80\""]
    )
  },
  { weight: 1, arbitrary: value.map((text) => `;${text}`) }
)

const data = fc.stringOf(fc.constantFrom("a", "b", "0", "\r", "\n", "\xff"), { minLength: 1, maxLength: 12 })

const size = (length: number): fc.Arbitrary<string> => {
  const hex = length.toString(16)
  return weighted(
    [30, hex],
    [3, hex.toUpperCase()],
    [2, `00${hex}`],
    [1, `0000000000000000${hex}`],
    [1, `0x${hex}`],
    [1, ` ${hex}`],
    [1, `-${hex}`],
    [1, (length + 1).toString(16)],
    [1, "20000000000000"],
    [1, "fffffffffffffffff"],
    [1, ""]
  )
}

const chunk = data.chain((text) =>
  fc.tuple(size(text.length), extension, lineEnd, fc.constant(text), lineEnd).map((parts) => parts.join(""))
)

const trailer = weighted(
  [6, "X-Checksum: abc"],
  [1, "Content-Length: 5"],
  [1, "Transfer-Encoding: chunked"],
  [1, "Connection: close"],
  [1, "X : y"],
  [1, " folded"]
)

const chunkedBody = fc.tuple(
  fc.array(chunk, { maxLength: 3 }).map((chunks) => chunks.join("")),
  weighted([20, "0"], [2, "000"], [1, ""], [1, "00000000000000000"]),
  extension,
  lineEnd,
  lines(trailer, 2),
  lineEnd
).map((parts) => parts.join(""))

const body = fc.oneof(
  { weight: 3, arbitrary: fc.constant("hello") },
  { weight: 3, arbitrary: chunkedBody },
  { weight: 1, arbitrary: data },
  { weight: 1, arbitrary: fc.constant("") }
)

const after = weighted([8, ""], [1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], [1, "\r\n"], [1, "x"])

/** Responses that have been of interest before. */
const remembered = fc.constantFrom(
  ...(JSON.parse(Fs.readFileSync(new URL("../corpus.json", import.meta.url), "utf8")) as ReadonlyArray<Exchange>)
).map(({ input }) => input)

const wellFormed = fc.tuple(
  weighted([16, ""], [2, "\r\n"], [1, "\n"], [1, "\r\n\r\n\r\n\r\n\r\n"]),
  fc.array(interim, { maxLength: 2 }).map((all) => all.join("")),
  head,
  body,
  after
).map((parts) => parts.join(""))

const snippet = fc.constantFrom(
  ..."\r\n\t :;,=\"\\0aF%\x00\x01\x0b\x7f\x80\xff",
  "\r\n",
  "\r\n\r\n",
  "\r\n ",
  "chunked",
  "close",
  "HTTP/1.1 200 OK\r\n",
  "HTTP/1.1 100 Continue\r\n\r\n",
  "Content-Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "0\r\n\r\n"
)

/** A position, as a share of the input so that shrinking keeps its meaning. */
const position = fc.integer({ min: 0, max: 999 })

const mutation = fc.record({
  kind: fc.constantFrom("insert", "replace", "remove", "repeat", "truncate"),
  at: position,
  length: fc.integer({ min: 1, max: 4 }),
  snippet
})

const mutate = (input: string, mutations: ReadonlyArray<typeof mutation extends fc.Arbitrary<infer M> ? M : never>) => {
  let text = input
  for (const { at, kind, length, snippet } of mutations) {
    const i = Math.floor((at * text.length) / 1000)
    switch (kind) {
      case "insert":
        text = text.slice(0, i) + snippet + text.slice(i)
        break
      case "replace":
        text = text.slice(0, i) + snippet + text.slice(i + length)
        break
      case "remove":
        text = text.slice(0, i) + text.slice(i + length)
        break
      case "repeat":
        text = text.slice(0, i + length) + text.slice(i)
        break
      default:
        text = text.slice(0, i)
    }
  }
  return text
}

/** Responses that are mostly well formed, most of them damaged in up to three positions, cut in up to eight. */
export const exchange: fc.Arbitrary<Exchange> = fc.record({
  method,
  text: fc.oneof({ weight: 5, arbitrary: wellFormed }, { weight: 1, arbitrary: remembered }),
  mutations: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }) }
  ),
  cuts: fc.array(position, { maxLength: 8 })
}).map(({ cuts, method, mutations, text }) => {
  const input = mutate(text, mutations)
  return {
    method,
    input,
    cuts: cuts.map((cut) => Math.floor((cut * input.length) / 1000)).sort((a, b) => a - b)
  }
})
