import * as fc from "fast-check"
import { Buffer } from "node:buffer"
import * as Http from "node:http"
import * as Net from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { encodeChunk, encodeLastChunk } from "../../src/http1/ChunkedEncoder.js"
import type { RequestHead } from "../../src/http1/RequestEncoder.js"
import { chunked, contentLength, encodeHead, noContent } from "../../src/http1/RequestEncoder.js"

/** What the server has read, in full. */
interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly fields: ReadonlyArray<string>
  readonly body: string
  readonly trailers: ReadonlyArray<string>
}

const lowerCase = (raw: ReadonlyArray<string>): ReadonlyArray<string> =>
  raw.map((text, i) => i % 2 === 0 ? text.toLowerCase() : text)

let settle: (received: Received | Error) => void = () => {}

const receive = (request: Http.IncomingMessage, response: Http.ServerResponse) => {
  let body = ""
  request.on("data", (bytes: Buffer) => {
    body += bytes.toString("latin1")
  })
  request.on("end", () => {
    response.end()
    settle({
      method: request.method,
      url: request.url,
      fields: lowerCase(request.rawHeaders),
      body,
      trailers: lowerCase(request.rawTrailers)
    })
  })
}

// Strict in everything, as Node is unless its options say otherwise; `Host` is required.
const server = Http.createServer({ insecureHTTPParser: false, keepAliveTimeout: 60_000 }, receive)
server.on("checkContinue", receive)
server.on("connect", (request: Http.IncomingMessage, socket: Net.Socket, first: Buffer) => {
  socket.end()
  settle({
    method: request.method,
    url: request.url,
    fields: lowerCase(request.rawHeaders),
    body: first.toString("latin1"),
    trailers: []
  })
})
server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
  socket.destroy()
  // A connection of the last request may still be going down.
  if (error.code !== "ECONNRESET") settle(error)
})

beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)))
afterAll(() => {
  server.closeAllConnections()
  return new Promise<void>((resolve) => server.close(() => resolve()))
})

const send = (bytes: Buffer): Promise<Received> =>
  new Promise((resolve, reject) => {
    const socket = Net.connect((server.address() as Net.AddressInfo).port, "127.0.0.1")
    settle = (received) => {
      socket.end()
      if (received instanceof Error) reject(received)
      else resolve(received)
    }
    socket.on("error", reject)
    socket.resume()
    socket.write(bytes)
  })

const token = fc.string({ unit: fc.constantFrom(..."abcXYZ019!#$%&'*+-.^_`|~"), minLength: 1, maxLength: 10 })
const value = fc.string({ unit: fc.constantFrom(..."abc XYZ\t019,;=\"\\:/\x80\xff"), maxLength: 20 })
const target = fc.string({ unit: fc.constantFrom(..."abc019/?&=%.;:@!$'()*+,-_~[]|^{}<>\"\\`"), maxLength: 30 })
const data = fc.array(fc.string({ unit: fc.constantFrom("a", "0", "\r", "\n", "\0", "\xff"), maxLength: 40 }), {
  maxLength: 4
})

/** Names that mean something to the encoder, or to the server before it hands a request out. */
const meaningful = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

const headers = fc.array(fc.tuple(token, value), { maxLength: 6 }).map((pairs) => {
  const record: Record<string, string> = {}
  const seen = new Set(meaningful)
  for (const [name, text] of pairs) {
    if (!seen.has(name.toLowerCase())) record[name] = text
    seen.add(name.toLowerCase())
  }
  return record
})

const request = fc.record({
  method: fc.constantFrom(...Http.METHODS.filter((method) => method !== "CONNECT")),
  target: target.map((rest) => `/${rest}`),
  host: fc.constantFrom("example.test", "127.0.0.1:8080", "[::1]"),
  headers,
  extra: fc.constantFrom<Record<string, string>>({}, {}, { te: "trailers" }, { expect: "100-continue" }, {
    connection: "x"
  }),
  keepAlive: fc.boolean(),
  kind: fc.constantFrom("none", "counted", "chunked"),
  data,
  trailers: fc.dictionary(token.filter((name) => !meaningful.has(name.toLowerCase())), value, { maxKeys: 2 })
})

const trimmed = (record: Readonly<Record<string, string>>): ReadonlyArray<string> =>
  Object.entries(record).flatMap(([name, text]) => [name.toLowerCase(), text.replace(/^[ \t]+|[ \t]+$/g, "")])

const find = (fields: ReadonlyArray<string>, name: string): ReadonlyArray<string> =>
  fields.filter((_, i) => i % 2 === 1 && fields[i - 1] === name)

describe("Node's server reads back what we write", () => {
  it("for any request", async () => {
    await fc.assert(
      fc.asyncProperty(request, async (given) => {
        const kind = given.method === "TRACE" ? "none" : given.kind
        // 100-continue is for requests with content.
        const extra = kind === "none" || given.data.join("") === "" ? {} : given.extra
        const own = { ...given.headers, ...extra }
        const body = kind === "none" ? "" : given.data.join("")
        const trailers = kind === "chunked" ? given.trailers : {}
        const head = encodeHead(
          {
            method: given.method,
            target: given.target,
            host: given.host,
            headers: own,
            framing: kind === "none" ? noContent : kind === "chunked" ? chunked : contentLength(body.length),
            keepAlive: given.keepAlive,
            trailers: Object.keys(trailers)
          } satisfies RequestHead
        )
        if (typeof head !== "string") throw new Error(head.message)
        const last = encodeLastChunk(trailers)
        if (typeof last !== "string") throw new Error(last.message)
        const received = await send(Buffer.concat([
          Buffer.from(head, "latin1"),
          ...kind === "chunked"
            ? [...given.data.map((text) => encodeChunk(Buffer.from(text, "latin1"))), Buffer.from(last, "latin1")]
            : [Buffer.from(body, "latin1")]
        ]))

        expect(received.method).toBe(given.method)
        expect(received.url).toBe(given.target)
        expect(received.body).toBe(body)
        expect(received.trailers).toEqual(trimmed(trailers))
        expect(received.fields.slice(0, 2)).toEqual(["host", given.host])
        const plain = { ...own }
        delete plain.connection
        expect(received.fields.slice(2, 2 + Object.keys(plain).length * 2)).toEqual(trimmed(plain))
        expect(find(received.fields, "content-length").length).toBeLessThanOrEqual(1)
        expect(find(received.fields, "content-length").join()).toBe(
          kind === "counted"
            ? String(body.length)
            : kind === "none" && ["POST", "PUT", "PATCH", "QUERY"].includes(given.method)
            ? "0"
            : ""
        )
        expect(find(received.fields, "transfer-encoding")).toEqual(kind === "chunked" ? ["chunked"] : [])
        expect(find(received.fields, "connection").join().split(", ").includes("close")).toBe(!given.keepAlive)
      }),
      { numRuns: 600 }
    )
  })

  it.each([
    ["OPTIONS", "*"],
    ["GET", "http://example.test/a?b=c"],
    ["CONNECT", "example.test:443"]
  ])("in the form %s %s", async (method, target) => {
    const head = encodeHead({ method, target, host: "example.test:443", headers: {}, framing: noContent })
    expect(await send(Buffer.from(head as string, "latin1"))).toEqual({
      method,
      url: target,
      fields: ["host", "example.test:443"],
      body: "",
      trailers: []
    })
  })
})
