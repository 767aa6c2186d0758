import * as fc from "fast-check"
import { deepStrictEqual, ok } from "node:assert"
import * as http2 from "node:http2"
import { Duplex } from "node:stream"
import { describe, it } from "vitest"
import * as frames from "./support/frames.js"
import { get, Harness } from "./support/Harness.js"

// The same bytes of a server, to our session and to the client of node:http2. What keeps the rules is taken the same by both;
// what does not is an error to us, and to node:http2 unless the list says what it does.

/** By then Node has said what it has to say, in milliseconds. */
const silence = 300

/** What a client makes of it. */
interface Outcome {
  readonly status: number | undefined
  readonly informational: ReadonlyArray<number>
  readonly fields: ReadonlyArray<string>
  readonly content: string
  readonly trailers: ReadonlyArray<string>
  readonly end: "complete" | "error"
}

const ours = (bytes: Uint8Array, method: string, split: number): Outcome => {
  const harness = new Harness({ split })
  const { got } = harness.request({ ...get, method })
  const informational: Array<number> = []
  let status: number | undefined = undefined
  let fields: ReadonlyArray<string> = []
  let trailers: ReadonlyArray<string> = []
  got.onInformational = (head) => informational.push(head.status)
  got.onHead = (head) => {
    status = head.status
    fields = [...head.rawHeaders]
  }
  const { onComplete } = got
  got.onComplete = (given) => {
    trailers = given
    onComplete(given)
  }
  harness.flush()
  harness.receive(bytes)
  harness.session.receiveEnd()
  return { status, informational, fields, content: got.text, trailers, end: got.isComplete ? "complete" : "error" }
}

/** A socket of which the other end sends these bytes when it has seen HEADERS. */
class Scripted extends Duplex {
  private seen = Buffer.alloc(0)
  private isBegun = false

  constructor(private readonly bytes: Uint8Array) {
    super({ allowHalfOpen: true })
    this.push(Buffer.from(frames.concat([frames.settings(), frames.settingsAck])))
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.seen = Buffer.concat([this.seen, chunk])
    if (!this.isBegun && hasHeaders(this.seen)) {
      this.isBegun = true
      setImmediate(() => {
        this.push(Buffer.from(this.bytes))
        setImmediate(() => setImmediate(() => this.push(null)))
      })
    }
    done()
  }
}

const hasHeaders = (bytes: Buffer): boolean => {
  for (let at = 24; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) if (bytes[at + 3] === 1) return true
  return false
}

/** Node's, without pseudo fields. */
const flat = (raw: ReadonlyArray<string>): Array<string> => {
  const fields: Array<string> = []
  for (let i = 0; i < raw.length; i += 2) if (!raw[i].startsWith(":")) fields.push(raw[i], raw[i + 1])
  return fields
}

const theirs = (bytes: Uint8Array, method: string): Promise<Outcome> =>
  new Promise((resolve) => {
    const session = http2.connect("http://example.com", { createConnection: () => new Scripted(bytes) })
    const stream = session.request({ ":method": method, ":path": "/" })
    const informational: Array<number> = []
    let status: number | undefined = undefined
    let fields: ReadonlyArray<string> = []
    let trailers: ReadonlyArray<string> = []
    let content = ""
    let failed = false
    let ended = false
    const settle = () => {
      session.destroy()
      resolve({ status, informational, fields, content, trailers, end: ended && !failed ? "complete" : "error" })
    }
    session.on("error", () => {
      failed = true
    })
    stream.setEncoding("latin1")
    stream.on("headers", (headers) => informational.push(Number(headers[":status"])))
    stream.on("response", (headers, _flags, raw?: unknown) => {
      status = headers[":status"]
      fields = flat(raw as ReadonlyArray<string>)
    })
    stream.on("trailers", (_headers, _flags, raw?: unknown) => {
      trailers = flat(raw as ReadonlyArray<string>)
    })
    stream.on("data", (chunk: string) => {
      content += chunk
    })
    stream.on("end", () => {
      ended = stream.rstCode === 0 && !stream.aborted
    })
    stream.on("error", () => {
      failed = true
    })
    stream.on("close", settle)
    // After most errors of the connection Node 20 says nothing more, to nobody.
    setTimeout(settle, silence)
  })

type Field = readonly [string, string]

const name = fc.constantFrom("x-a", "x-b", "date", "etag", "server", "set-cookie", "vary", "x-empty")
const value = fc.stringOf(fc.constantFrom(..."abc,;=/ 0129é"), { maxLength: 40 }).map((text) => text.trim())
const list: fc.Arbitrary<ReadonlyArray<Field>> = fc.array(fc.tuple(name, value), { maxLength: 6 }).map((fields) =>
  // Of these Node takes one only, as RFC 9110 §5.3 lets it.
  fields.filter(([name], n) =>
    !["date", "etag", "server"].includes(name) || fields.findIndex((f) => f[0] === name) === n
  )
)

const whole = fc.record({
  method: fc.constantFrom("GET", "HEAD"),
  interim: fc.array(fc.constantFrom(102, 103), { maxLength: 3 }),
  status: fc.constantFrom(200, 201, 204, 304, 404, 503),
  fields: list,
  chunks: fc.array(
    fc.record({ size: fc.nat({ max: 300 }), padding: fc.option(fc.nat({ max: 20 }), { nil: undefined }) }),
    {
      maxLength: 5
    }
  ),
  length: fc.boolean(),
  trailers: fc.option(list, { nil: undefined }),
  fragment: fc.option(fc.integer({ min: 80, max: 200 }), { nil: undefined }),
  between: fc.array(fc.constantFrom("PING", "SETTINGS", "WINDOW_UPDATE", "unknown", "PRIORITY"), { maxLength: 3 }),
  split: fc.constantFrom(1, 7, Infinity)
})

const others: Readonly<Record<string, Uint8Array>> = {
  PING: frames.ping(1, 2),
  SETTINGS: frames.settings([4, 70_000]),
  WINDOW_UPDATE: frames.windowUpdate(1, 100),
  unknown: frames.raw(0x77, 0xff, 1, [1, 2, 3]),
  PRIORITY: frames.raw(2, 0, 1, [0, 0, 0, 0, 16])
}

/** A response that keeps the rules. */
const bytesOf = (
  { between, chunks, fields, fragment, interim, length, method, status, trailers }: WholeCase
): Uint8Array => {
  const hasContent = method === "GET" && status !== 204 && status !== 304
  const content = hasContent ? chunks : []
  const size = content.reduce((sum, chunk) => sum + chunk.size, 0)
  const head: ReadonlyArray<Field> = [
    [":status", String(status)],
    ...fields,
    ...(length && hasContent ? [["content-length", String(size)] as const] : [])
  ]
  const end = content.length === 0 && trailers === undefined
  const heads = fragment === undefined
    ? frames.headers(1, head, { end })
    : frames.fragments(1, head, fragment, { end })
  return frames.concat([
    ...interim.map((code) => frames.headers(1, [[":status", String(code)], ["link", "</a>"]])),
    ...between.map((what) => others[what]),
    heads,
    ...content.flatMap(({ padding, size }, n) => [
      frames.data(1, "x".repeat(size), {
        end: n === content.length - 1 && trailers === undefined,
        ...(padding === undefined ? {} : { padding })
      }),
      ...(n === 0 ? between.map((what) => others[what]) : [])
    ]),
    ...(trailers === undefined
      ? []
      : [frames.headers(1, trailers.map(([name, value]) => [`t-${name}`, value]), { end: true })])
  ])
}

type WholeCase = typeof whole extends fc.Arbitrary<infer A> ? A : never

const head = (...fields: frames.Fields) => frames.headers(1, [[":status", "200"], ...fields])
const end = { end: true }

/** What breaks a rule, and what node:http2 may make of it, where that is no error. */
const wrong: ReadonlyArray<readonly [what: string, bytes: Uint8Array, differs?: string]> = [
  ["no :status", frames.headers(1, [["a", "b"]], end)],
  ["two :status", frames.headers(1, [[":status", "200"], [":status", "201"]], end)],
  [":status of letters", frames.headers(1, [[":status", "abc"]], end)],
  [":status behind a field", frames.headers(1, [["a", "b"], [":status", "200"]], end)],
  [":status 101", frames.headers(1, [[":status", "101"]], end), "takes it for an interim response"],
  ["an unknown pseudo field", frames.headers(1, [[":status", "200"], [":x", "y"]], end)],
  ["an upper case name", frames.headers(1, [[":status", "200"], ["X-Y", "z"]], end), "leaves the field out"],
  ["a name with a blank", frames.headers(1, [[":status", "200"], ["x y", "z"]], end), "leaves the field out"],
  ["a value with CR LF", frames.headers(1, [[":status", "200"], ["x", "a\r\nb"]], end), "leaves the field out"],
  ["a value with NUL", frames.headers(1, [[":status", "200"], ["x", "a\0b"]], end), "leaves the field out"],
  ["connection", frames.headers(1, [[":status", "200"], ["connection", "close"]], end), "takes the field"],
  [
    "transfer-encoding",
    frames.headers(1, [[":status", "200"], ["transfer-encoding", "chunked"]], end),
    "takes the field"
  ],
  [
    "two lengths",
    frames.headers(1, [[":status", "200"], ["content-length", "0"], ["content-length", "0"]], end),
    "takes one"
  ],
  ["less than content-length", frames.concat([head(["content-length", "5"]), frames.data(1, "four", end)])],
  ["more than content-length", frames.concat([head(["content-length", "3"]), frames.data(1, "four", end)])],
  ["content of a 204", frames.concat([frames.headers(1, [[":status", "204"]]), frames.data(1, "x", end)]), "takes it"],
  ["DATA before a head", frames.data(1, "x", end)],
  [
    "trailers that do not end the stream",
    frames.concat([head(), frames.headers(1, [["a", "b"]]), frames.data(1, "", end)])
  ],
  ["trailers with :status", frames.concat([head(), frames.headers(1, [[":status", "200"]], end)])],
  [
    "an interim response that ends the stream",
    frames.headers(1, [[":status", "103"]], end),
    "takes it for the response"
  ],
  ["RST_STREAM in the middle", frames.concat([head(), frames.data(1, "x"), frames.rst(1, 2)])],
  [
    "RST_STREAM(NO_ERROR) in the middle",
    frames.concat([head(), frames.data(1, "x"), frames.rst(1, 0)]),
    "takes it for whole"
  ],
  [
    "RST_STREAM(CANCEL) in the middle",
    frames.concat([head(), frames.data(1, "x"), frames.rst(1, 8)]),
    "takes it for whole"
  ],
  ["the end of the connection", frames.concat([head(), frames.data(1, "x")]), "takes it for whole"],
  ["GOAWAY and the end", frames.concat([head(), frames.data(1, "x"), frames.goAway(1, 0)]), "takes it for whole"],
  ["DATA of stream 0", frames.concat([head(), frames.data(0, "x"), frames.data(1, "x", end)])],
  ["PING of seven bytes", frames.concat([head(), frames.raw(6, 0, 0, new Uint8Array(7)), frames.data(1, "x", end)])],
  [
    "a push",
    frames.concat([head(), frames.raw(5, 4, 1, [0, 0, 0, 2, 0x82]), frames.data(1, "x", end)]),
    "takes pushes"
  ],
  ["a window that overflows", frames.concat([head(), frames.windowUpdate(0, 2 ** 31 - 1), frames.data(1, "x", end)])],
  ["a frame too large", frames.concat([head(), frames.data(1, new Uint8Array(20_000), end)])],
  ["DATA on an idle stream", frames.concat([head(), frames.data(7, "x"), frames.data(1, "x", end)])],
  ["CONTINUATION without HEADERS", frames.concat([frames.raw(9, 4, 1, [0x88]), head(), frames.data(1, "x", end)])],
  ["a block that cannot be decoded", frames.raw(1, 5, 1, [0xff, 0xff, 0xff, 0xff, 0x0f])],
  ["padding longer than its frame", frames.concat([head(), frames.raw(0, 8, 1, [9, 1])])]
]

describe("Beside the client of node:http2", () => {
  it("what keeps the rules is the same to both", async () => {
    await fc.assert(
      fc.asyncProperty(whole, async (generated) => {
        const bytes = bytesOf(generated)
        const our = ours(bytes, generated.method, generated.split)
        deepStrictEqual(our.end, "complete")
        deepStrictEqual(our, await theirs(bytes, generated.method))
      }),
      { numRuns: 200 }
    )
  }, 30_000)

  it.each(wrong.map(([what, bytes, differs]) => ({ what, bytes, differs })))(
    "$what is an error to us",
    async ({ bytes, differs }) => {
      for (const split of [1, Infinity]) deepStrictEqual(ours(bytes, "GET", split).end, "error")
      if (differs === undefined) {
        ok((await theirs(bytes, "GET")).end === "error", "node:http2 takes it, and the list does not say so")
      }
    }
  )
})
