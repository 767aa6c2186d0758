import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { chunkEnd, chunkHead, encodeChunk, encodeLastChunk } from "../../src/http1/ChunkedEncoder.js"
import type { ProtocolError } from "../../src/http1/ProtocolError.js"
import type { RequestHead } from "../../src/http1/RequestEncoder.js"
import { chunked, connectionOptions, contentLength, encodeHead, noContent } from "../../src/http1/RequestEncoder.js"
import { absoluteForm, asteriskForm, authorityForm, originForm } from "../../src/http1/RequestTarget.js"
import { bytesOf, latin1 } from "./support/transcript.js"

const get: RequestHead = { method: "GET", target: "/", host: "example.test", headers: {}, framing: noContent }

const lines = (request: Partial<RequestHead>): ReadonlyArray<string> => {
  const head = encodeHead({ ...get, ...request })
  if (typeof head !== "string") throw new Error(`${head.code}: ${head.message}`)
  expect(head.endsWith("\r\n\r\n")).toBe(true)
  return head.slice(0, -4).split("\r\n")
}

const protocolErrorOf = (request: Partial<RequestHead>): ProtocolError => {
  const head = encodeHead({ ...get, ...request })
  if (typeof head === "string") throw new Error(`no protocol error: ${JSON.stringify(head)}`)
  return head
}

describe("the request head", () => {
  it("is the request line, Host and the headers as given", () => {
    expect(lines({ target: "/a?b=c", headers: { accept: "*/*", "X-Two": "two words\t\xe9" } })).toEqual([
      "GET /a?b=c HTTP/1.1",
      "Host: example.test",
      "accept: */*",
      "X-Two: two words\t\xe9"
    ])
  })

  it("has Host first and once", () => {
    expect(lines({ headers: { accept: "*/*", host: "Example.test" } })).toEqual([
      "GET / HTTP/1.1",
      "Host: example.test",
      "accept: */*"
    ])
    expect(lines({ headers: { accept: "*/*", Host: "other.test:81" } })).toEqual([
      "GET / HTTP/1.1",
      "Host: other.test:81",
      "accept: */*"
    ])
    for (const host of ["", "a, b", "a,b", "a b", "user@a", "a/b"]) {
      expect(protocolErrorOf({ headers: { host } }).code).toBe("InvalidHost")
    }
    // Where the target names the host, another one would be two.
    expect(protocolErrorOf({ target: "http://example.test/", headers: { host: "other.test" } }).code).toBe(
      "ConflictingHost"
    )
    expect(protocolErrorOf({ method: "CONNECT", target: "a:1", headers: { host: "other.test" } }).code).toBe(
      "ConflictingHost"
    )
  })

  it.each(["example.test:8080", "127.0.0.1", "[::1]:80", "xn--bcher-kva.test", "my_host"])("host %s", (host) => {
    expect(lines({ host })[1]).toBe(`Host: ${host}`)
  })

  it.each(["", "a b", "a\r\nb", "user@host", "host/path", "a?b", "a#b", "host:http", "[::1", "b\xfccher"])(
    "no host %j",
    (host) => {
      expect(protocolErrorOf({ host }).code).toBe("InvalidHost")
    }
  )

  it.each(["GET", "QUERY", "PROPFIND", "M-SEARCH", "get", "!#$%&'*+-.^_`|~"])("method %s", (method) => {
    expect(lines({ method })[0]).toBe(`${method} / HTTP/1.1`)
  })

  it.each(["", "GET ", "G T", "GET\r\nX:", "G\0T", "GÉT", "GET:", "\u{1f600}"])("no method %j", (method) => {
    expect(protocolErrorOf({ method }).code).toBe("InvalidMethod")
  })

  it.each([
    ["GET", "/"],
    ["GET", "//a"],
    ["GET", "/a?b=c&d=%20"],
    ["GET", "/\"<>[]\\^`{|}~"],
    ["GET", "http://example.test/a?b@c"],
    ["GET", "http://example.test"],
    ["OPTIONS", "*"],
    ["OPTIONS", "/"],
    ["CONNECT", "example.test:443"],
    ["CONNECT", "[::1]:443"]
  ])("%s %s", (method, target) => {
    expect(lines({ method, target })[0]).toBe(`${method} ${target} HTTP/1.1`)
  })

  it.each([
    ["GET", "", "3.2"],
    ["GET", "a", "3.2"],
    ["GET", "/a b", "3.2"],
    ["GET", "/a\r\nX: y", "3.2"],
    ["GET", "/a\tb", "3.2"],
    ["GET", "/a\0", "3.2"],
    ["GET", "/a#b", "3.2"],
    ["GET", "/\xe9", "3.2"],
    ["GET", "/\u0120", "3.2"],
    ["GET", "http://user@example.test/", "3.2"],
    ["GET", "http:///a", "3.2"],
    ["GET", "*", "3.2.4"],
    ["CONNECT", "/", "3.2.3"],
    ["CONNECT", "example.test", "3.2.3"],
    ["CONNECT", "user@example.test:443", "3.2.3"]
  ])("no %s %j", (method, target, section) => {
    expect(protocolErrorOf({ method, target })).toMatchObject({
      code: "InvalidTarget",
      section: `RFC 9112 §${section}`
    })
  })

  it.each(["", "a b", "a:", "a\r\nb", "a\0", "\xe9", "a\u0120", "(a)", " a"])("no header name %j", (name) => {
    expect(protocolErrorOf({ headers: { [name]: "x" } })).toMatchObject({ code: "InvalidHeaderName" })
  })

  it.each(["a\r\nb: c", "a\nb", "a\r", "\0", "\x01", "\x7f", "\u0120", "\u{1f600}"])("no header value %j", (value) => {
    expect(protocolErrorOf({ headers: { secret: `hidden${value}` } })).toMatchObject({ code: "InvalidHeaderValue" })
    expect(protocolErrorOf({ headers: { secret: `hidden${value}` } }).message).not.toContain("hidden")
  })

  it("no header value that is not a string", () => {
    expect(protocolErrorOf({ headers: { a: undefined as unknown as string } }).code).toBe("InvalidHeaderValue")
    expect(protocolErrorOf({ headers: { a: 1 as unknown as string } }).code).toBe("InvalidHeaderValue")
  })

  it("leaves out what the headers inherit", () => {
    const headers: Record<string, string> = Object.create({ inherited: "x" })
    headers.own = "y"
    expect(lines({ headers }).slice(2)).toEqual(["own: y"])
  })

  it("knows no more names than it should, and still validates", () => {
    for (let i = 0; i < 3000; i++) expect(lines({ headers: { [`x-${i}`]: "y" } })[2]).toBe(`x-${i}: y`)
    expect(protocolErrorOf({ headers: { "x 3000": "y" } }).code).toBe("InvalidHeaderName")
    expect(lines({ headers: { "x-3001": "y", "CONTENT-length": "0" } }).slice(2)).toEqual([
      "x-3001: y",
      "content-length: 0"
    ])
  })
})

describe("the framing of a request", () => {
  const none = { framing: noContent }
  const five = { method: "POST", framing: contentLength(5) }
  const stream = { method: "POST", framing: chunked }

  it("is said once", () => {
    expect(lines(five).slice(2)).toEqual(["content-length: 5"])
    expect(lines({ ...five, headers: { "Content-Length": "5" } }).slice(2)).toEqual(["content-length: 5"])
    expect(lines(stream).slice(2)).toEqual(["transfer-encoding: chunked"])
    expect(lines({ ...stream, headers: { "Transfer-Encoding": "Chunked" } }).slice(2)).toEqual([
      "transfer-encoding: chunked"
    ])
  })

  it("is not said for no content, unless the method promises some", () => {
    for (const method of ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"]) expect(lines({ method }).length).toBe(2)
    for (const method of ["POST", "PUT", "PATCH", "QUERY"]) {
      expect(lines({ method }).slice(2)).toEqual(["content-length: 0"])
      expect(lines({ method, headers: { "content-length": "0" } }).slice(2)).toEqual(["content-length: 0"])
    }
    expect(lines({ method: "DELETE", headers: { "content-length": "0" } }).slice(2)).toEqual(["content-length: 0"])
    expect(lines({ method: "CONNECT", target: "a:1", headers: { "content-length": "0" } }).slice(2)).toEqual([])
  })

  it.each([
    [none, { "content-length": "5" }],
    [none, { "transfer-encoding": "chunked" }],
    [five, { "content-length": "6" }],
    [five, { "content-length": "05" }],
    [five, { "content-length": "5, 5" }],
    [five, { "content-length": "5", "Content-Length": "6" }],
    [five, { "transfer-encoding": "chunked" }],
    [stream, { "content-length": "5" }],
    [stream, { "transfer-encoding": "gzip, chunked" }],
    [stream, { "transfer-encoding": "identity" }]
  ])("%j is not contradicted by %j", (request, headers) => {
    expect(protocolErrorOf({ ...request, headers: headers as Record<string, string> })).toMatchObject({
      code: "ConflictingFraming",
      section: "RFC 9112 §6.3"
    })
  })

  it.each([-1, 1.5, NaN, Infinity, 2 ** 53])("cannot be a length of %d", (length) => {
    expect(protocolErrorOf({ framing: contentLength(length) }).code).toBe("InvalidContentLength")
  })

  it("has nothing to frame for CONNECT and TRACE", () => {
    expect(protocolErrorOf({ method: "CONNECT", target: "a:1", framing: chunked }).code).toBe("ForbiddenContent")
    expect(protocolErrorOf({ method: "TRACE", framing: contentLength(5) }).code).toBe("ForbiddenContent")
  })

  it("allows 100-continue only with content", () => {
    const headers = { expect: "100-continue" }
    expect(lines({ ...five, headers })).toContain("expect: 100-continue")
    expect(protocolErrorOf({ headers, framing: contentLength(0) }).code).toBe("InvalidExpectation")
    expect(protocolErrorOf({ headers })).toMatchObject({ code: "InvalidExpectation", section: "RFC 9110 §10.1.1" })
  })

  it("announces trailers", () => {
    expect(lines({ ...stream, trailers: ["x-sum", "x-end"] })).toContain("trailer: x-sum, x-end")
    expect(
      lines({ ...stream, headers: { trailer: "x-sum" }, trailers: ["x-sum"] }).filter((line) =>
        line.startsWith("trailer")
      )
    ).toEqual(["trailer: x-sum"])
    expect(lines({ ...stream, trailers: [] }).length).toBe(3)
    expect(protocolErrorOf({ ...five, trailers: ["x-sum"] }).code).toBe("ForbiddenTrailer")
    expect(protocolErrorOf({ headers: { trailer: "x-sum" } }).code).toBe("ForbiddenTrailer")
    expect(protocolErrorOf({ ...stream, trailers: ["a\r\nb"] }).code).toBe("InvalidHeaderName")
    expect(protocolErrorOf({ ...stream, trailers: ["Content-Length"] }).code).toBe("ForbiddenTrailer")
  })
})

describe("the connection of a request", () => {
  const connection = (request: Partial<RequestHead>) =>
    lines(request).filter((line) => line.toLowerCase().startsWith("connection:"))

  it("is kept without a word", () => {
    expect(connection({})).toEqual([])
    expect(connection({ keepAlive: true })).toEqual([])
  })

  it.each<[boolean, Record<string, string>, string]>([
    [false, {}, "close"],
    [false, { connection: "close" }, "close"],
    [true, { connection: "keep-alive" }, "keep-alive"],
    [true, { connection: "Upgrade", upgrade: "websocket" }, "Upgrade"],
    [true, { upgrade: "websocket" }, "upgrade"],
    [false, { upgrade: "websocket", connection: "x" }, "x, upgrade, close"],
    [true, { te: "trailers" }, "te"],
    [true, { te: "trailers", Connection: "a", connection: "TE" }, "a, TE"]
  ])("keepAlive %s and %j: %s", (keepAlive, headers, expected) => {
    expect(connection({ headers, keepAlive })).toEqual([`connection: ${expected}`])
  })

  it.each<[boolean, string]>([
    [true, "close"],
    [true, "x, Close"],
    [false, "keep-alive"],
    [true, "transfer-encoding"],
    [true, "Content-Length"],
    [true, "host"],
    [true, "a b"]
  ])("keepAlive %s contradicts %s", (keepAlive, option) => {
    expect(protocolErrorOf({ keepAlive, headers: { connection: option } }).code).toBe("ConflictingConnection")
  })

  it("options are read in lower case", () => {
    expect(connectionOptions(" Close,, Upgrade\t,")).toEqual(["close", "upgrade"])
  })
})

describe("nothing given to encodeHead becomes another line", () => {
  const hostile = fc.oneof(
    fc.constantFrom(
      "",
      "a",
      "close",
      "chunked",
      "5",
      "0",
      "a\r\nb: c",
      "a\n",
      "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
      "/",
      "*"
    ),
    fc.string({ unit: fc.constantFrom(..."aA0 :,/*?#\t\r\n\0\x7f\x80\xff\u010a\u010d\u{1f600}"), maxLength: 6 }),
    fc.string({ unit: "binary", maxLength: 6 })
  )
  const request = fc.record({
    method: fc.oneof({ weight: 4, arbitrary: fc.constantFrom("GET", "POST") }, { weight: 1, arbitrary: hostile }),
    target: fc.oneof({ weight: 4, arbitrary: fc.constantFrom("/", "/a?b") }, { weight: 1, arbitrary: hostile }),
    host: fc.oneof({ weight: 4, arbitrary: fc.constantFrom("a", "a:1") }, { weight: 1, arbitrary: hostile }),
    headers: fc.dictionary(
      fc.oneof(
        fc.constantFrom("a", "Host", "content-length", "Transfer-Encoding", "connection", "te", "upgrade", "trailer"),
        hostile
      ),
      hostile,
      { maxKeys: 4 }
    ),
    framing: fc.constantFrom(noContent, chunked, contentLength(0), contentLength(5)),
    keepAlive: fc.boolean(),
    trailers: fc.array(hostile, { maxLength: 2 })
  })

  it("for any string anywhere", () => {
    let encoded = 0
    fc.assert(
      fc.property(request, (given) => {
        const head = encodeHead(given)
        if (typeof head !== "string") return
        encoded++
        expect(head).toMatch(/^[^ \r\n]+ [^ \r\n]+ HTTP\/1\.1\r\n(?:[^ :\r\n]+: [\t -~\x80-\xff]*\r\n)+\r\n$/)
        const names = head.split("\r\n").slice(1, -2).map((line) => line.slice(0, line.indexOf(":")).toLowerCase())
        for (const name of ["host", "content-length", "transfer-encoding", "connection"]) {
          expect(names.filter((other) => other === name).length).toBeLessThanOrEqual(1)
        }
        expect(names.includes("content-length") && names.includes("transfer-encoding")).toBe(false)
        expect(names[0]).toBe("host")
        const own = Object.keys(given.headers).map((name) => name.toLowerCase())
        const ours = ["host", "content-length", "transfer-encoding", "connection", "trailer"]
        expect(names.every((name) => own.includes(name) || ours.includes(name))).toBe(true)
      }),
      { numRuns: 3000 }
    )
    expect(encoded).toBeGreaterThan(100)
  })
})

describe("chunks", () => {
  it("are their size in hex, their data and a line end", () => {
    const data = bytesOf("x".repeat(300))
    const chunk = encodeChunk(data)
    expect(latin1(chunk, 0, chunk.length)).toBe(`12c\r\n${"x".repeat(300)}\r\n`)
    expect(chunkHead(300) + "x".repeat(300) + chunkEnd).toBe(latin1(chunk, 0, chunk.length))
  })

  it("without data are none, for an empty one would be the last", () => {
    expect(encodeChunk(new Uint8Array(0)).length).toBe(0)
  })

  it("end with the trailers", () => {
    expect(encodeLastChunk()).toBe("0\r\n\r\n")
    expect(encodeLastChunk({})).toBe("0\r\n\r\n")
    expect(encodeLastChunk({ "x-sum": "a b", b: "" })).toBe("0\r\nx-sum: a b\r\nb: \r\n\r\n")
  })

  it.each<[Record<string, string>, string]>([
    [{ "a b": "c" }, "InvalidHeaderName"],
    [{ a: "b\r\nc: d" }, "InvalidHeaderValue"],
    [{ "Content-Length": "5" }, "ForbiddenTrailer"],
    [{ "transfer-encoding": "chunked" }, "ForbiddenTrailer"],
    [{ host: "a" }, "ForbiddenTrailer"],
    [{ authorization: "a" }, "ForbiddenTrailer"]
  ])("refuse the trailers %j", (trailers, code) => {
    expect(encodeLastChunk(trailers)).toMatchObject({ _tag: "ProtocolError", code })
  })
})

describe("targets", () => {
  it.each([
    ["http://user:secret@example.test/a/b?c=d#e", "/a/b?c=d", "http://example.test/a/b?c=d", "example.test:80"],
    ["https://example.test", "/", "https://example.test/", "example.test:443"],
    ["http://example.test:8080/?", "/", "http://example.test:8080/", "example.test:8080"],
    ["http://[::1]:81/\u00e9 b", "/%C3%A9%20b", "http://[::1]:81/%C3%A9%20b", "[::1]:81"]
  ])("of %s", (url, origin, absolute, authority) => {
    const parsed = new URL(url)
    expect(originForm(parsed)).toBe(origin)
    expect(absoluteForm(parsed)).toBe(absolute)
    expect(authorityForm(parsed)).toBe(authority)
    expect(lines({ target: origin })[0]).toBe(`GET ${origin} HTTP/1.1`)
    expect(lines({ target: absolute })[0]).toBe(`GET ${absolute} HTTP/1.1`)
    expect(lines({ method: "CONNECT", target: authority })[0]).toBe(`CONNECT ${authority} HTTP/1.1`)
  })

  it("of a server as a whole", () => {
    expect(lines({ method: "OPTIONS", target: asteriskForm })[0]).toBe("OPTIONS * HTTP/1.1")
  })

  it("of any URL are valid", () => {
    fc.assert(fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), (text) => {
      const url = new URL(text)
      lines({ target: originForm(url), host: url.host })
      lines({ target: absoluteForm(url), host: url.host })
      lines({ method: "CONNECT", target: authorityForm(url), host: url.host })
    }))
  })
})
