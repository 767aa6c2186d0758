import { describe, expect, it } from "vitest"
import { defaultParserLimits } from "../../src/internal/http1/ParserLimits.js"
import type { ParserLimits } from "../../src/internal/http1/ParserLimits.js"
import type { ResponseHead } from "../../src/internal/http1/ResponseHead.js"
import type { ResponseHandler } from "../../src/internal/http1/ResponseParser.js"
import { ResponseParser } from "../../src/internal/http1/ResponseParser.js"
import { bytesOf, everyByte, latin1, runOurs, split } from "./support/transcript.js"

const ok = "HTTP/1.1 200 OK\r\n"
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`
const read = (input: string, method = "GET") => runOurs(method, [bytesOf(input)]).transcript
const violationOf = (input: string, method = "GET", limits: ParserLimits = defaultParserLimits) => {
  const { outcome } = runOurs(method, [bytesOf(input)], limits)
  if (outcome?._tag !== "ProtocolViolation") throw new Error(`no violation: ${JSON.stringify(outcome)}`)
  return outcome
}

/** A parser and what it has said, for tests that look at it between two inputs. */
const listening = (handler: Partial<ResponseHandler> = {}) => {
  const heads: Array<ResponseHead> = []
  const parser: ResponseParser = new ResponseParser({
    onInformational: () => {},
    onHead: (head) => {
      heads.push(head)
    },
    onBody: () => {},
    onComplete: () => {},
    ...handler
  }, { limits: defaultParserLimits, latin1 })
  const feed = (text: string) => {
    const bytes = bytesOf(text)
    return parser.execute(bytes, 0, bytes.length)
  }
  return { parser, heads, feed }
}

describe("the head", () => {
  it("gives status, version, reason and fields", () => {
    const { head } = read(`HTTP/1.0 404 Not  Found\r\nX-One:1\r\nx-TWO: \t two words\t \r\nEmpty:\r\nA: \xe9\r\n\r\n`)
    expect(head).toEqual(
      ["1.0", "404", "Not  Found", "x-one", "1", "x-two", "two words", "empty", "", "a", "\xe9"]
    )
  })

  it("keeps repeated fields apart and in order", () => {
    const { head } = read(`${ok}Set-Cookie: a\r\nB: c\r\nset-cookie: d\r\nContent-Length: 0\r\n\r\n`)
    expect(head.slice(3)).toEqual(["set-cookie", "a", "b", "c", "set-cookie", "d", "content-length", "0"])
  })

  it("does without a reason, and without the space before it", () => {
    expect(read("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n").head[2]).toBe("")
    expect(read("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n").head[2]).toBe("")
  })

  it("outlives the buffer that it came in", () => {
    const { heads, parser } = listening()
    const bytes = bytesOf(`${ok}Name: value\r\nContent-Length: 0\r\n\r\n`)
    parser.start("GET")
    parser.execute(bytes, 0, bytes.length)
    bytes.fill(0)
    expect(heads[0].rawHeaders).toEqual(["name", "value", "content-length", "0"])
    expect(heads[0].rawHeaders).toBe(heads[0].rawHeaders)
    expect(heads[0].reasonPhrase).toBe("OK")
  })

  it("outlives the next head", () => {
    const { feed, heads, parser } = listening()
    parser.start("GET")
    feed(`${ok}First: 1\r\nContent-Length: 0\r\n\r\n`)
    parser.start("GET")
    feed("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nAnother: longer value\r\n\r\n")
    expect(heads.map((head) => head.rawHeaders)).toEqual([
      ["first", "1", "content-length", "0"],
      ["content-length", "0", "another", "longer value"]
    ])
  })

  it("begins anywhere in the input", () => {
    const { heads, parser } = listening()
    const bytes = bytesOf(`....${ok}Name: value\r\nContent-Length: 0\r\n\r\n....`)
    parser.start("GET")
    expect(parser.execute(bytes, 4, bytes.length - 4)).toBeUndefined()
    expect(heads[0].rawHeaders).toEqual(["name", "value", "content-length", "0"])
  })

  it("may follow a few empty lines, not many", () => {
    expect(read(`\r\n\r\n${ok}Content-Length: 2\r\n\r\nhi`).body).toBe("hi")
    expect(violationOf(`${"\r\n".repeat(5)}${ok}\r\n`).code).toBe("InvalidStatusLine")
  })

  it.each([
    ["timeout=5, max=100", 5, 100],
    ["TIMEOUT = 15", 15, undefined],
    ["max=7,timeout=x", undefined, 7],
    ["timeout=\"5\"", undefined, undefined],
    ["timeout=-1, max=1e3", undefined, undefined],
    ["timeout=99999999999999999999", undefined, undefined],
    ["", undefined, undefined]
  ])("reads Keep-Alive: %s", (value, timeout, max) => {
    const { feed, heads, parser } = listening()
    parser.start("GET")
    feed(`${ok}Server: x\r\nKeep-Alive: ${value}\r\nContent-Length: 0\r\n\r\n`)
    expect(heads[0].keepAliveTimeout).toBe(timeout)
    expect(heads[0].keepAliveMax).toBe(max)
  })

  it("has no Keep-Alive parameters without the field", () => {
    const { feed, heads, parser } = listening()
    parser.start("GET")
    feed(`${ok}Keep-Alives: timeout=5\r\nContent-Length: 0\r\n\r\n`)
    expect(heads[0].keepAliveTimeout).toBeUndefined()
  })
})

describe("what ends a message (RFC 9112 §6.3)", () => {
  it.each([
    ["Content-Length", "GET", `${ok}Content-Length: 5\r\n\r\nhello`, "hello", true],
    ["Content-Length: 0", "GET", `${ok}Content-Length: 0\r\n\r\n`, "", true],
    ["leading zeros", "GET", `${ok}Content-Length: 005\r\n\r\nhello`, "hello", true],
    ["chunked", "GET", `${chunked}5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n`, "hello world", true],
    ["chunked, upper case and zeros", "GET", `${chunked}00A\r\n0123456789\r\n000\r\n\r\n`, "0123456789", true],
    ["the end of the stream", "GET", `${ok}\r\nhello`, "hello", false],
    ["the end of the stream at once", "GET", `${ok}\r\n`, "", false],
    ["HEAD", "HEAD", `${ok}Content-Length: 5\r\n\r\n`, "", true],
    ["HEAD, chunked", "HEAD", chunked, "", true],
    ["HEAD, nothing said", "HEAD", `${ok}\r\n`, "", true],
    ["204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", "", true],
    ["304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", true],
    ["304, chunked", "GET", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", "", true],
    ["an answer to CONNECT that is no tunnel", "CONNECT", "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno", "no", true]
  ])("%s", (_, method, input, body, keepAlive) => {
    const transcript = read(input, method)
    expect(transcript).toMatchObject({ end: "complete", body, keepAlive, rest: "" })
  })

  it("Content-Length is told, also where it frames nothing", () => {
    const { feed, heads, parser } = listening()
    parser.start("HEAD")
    feed(`${ok}Content-Length: 1234\r\n\r\n`)
    parser.start("GET")
    feed(`${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`)
    expect(heads.map((head) => head.contentLength)).toEqual([1234, undefined])
  })

  it("exposes trailers", () => {
    const transcript = read(`${chunked}2\r\nhi\r\n0\r\nX-Sum: \tabc \r\nY:\r\n\r\n`)
    expect(transcript.trailers).toEqual(["x-sum", "abc", "y", ""])
  })

  it("ignores the extensions of chunks", () => {
    const extension = " ; a ; b = c;d=\"e;\\\"f\\\\\"\t;g=\"\""
    expect(read(`${chunked}2${extension}\r\nhi\r\n0${extension}\r\n\r\n`)).toMatchObject({
      end: "complete",
      body: "hi"
    })
  })

  it("hands content over as ranges of the input", () => {
    const ranges: Array<[Uint8Array, number, number]> = []
    const { parser } = listening({ onBody: (...range) => ranges.push(range) })
    const bytes = bytesOf(`${chunked}5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n`)
    const start = chunked.length
    parser.start("GET")
    parser.execute(bytes, 0, bytes.length)
    expect(ranges).toEqual([[bytes, start + 3, start + 8], [bytes, start + 13, start + 14]])
    expect(ranges[0][0]).toBe(bytes)
  })
})

describe("keeping the connection (RFC 9112 §9.3)", () => {
  it.each([
    ["1.1", "", true],
    ["1.0", "", false],
    ["1.1", "Connection: close\r\n", false],
    ["1.1", "Connection: CLOSE\r\n", false],
    ["1.1", "Connection: x, \tclose ,\r\n", false],
    ["1.1", "Connection: closed, unclose\r\n", true],
    ["1.1", "Connection: keep-alive, close\r\n", false],
    ["1.1", "Connection: close\r\nConnection: keep-alive\r\n", false],
    ["1.1", "Proxy-Connection: close\r\n", false],
    ["1.0", "Connection: keep-alive\r\n", true],
    ["1.0", "Connection: Keep-Alive, x\r\n", true],
    ["1.0", "Connection: keep-alive, close\r\n", false],
    ["1.0", "Proxy-Connection: keep-alive\r\n", false]
  ])("HTTP/%s with %j: %s", (version, fields, keepAlive) => {
    expect(read(`HTTP/${version} 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`).keepAlive).toBe(keepAlive)
  })

  it("close said by an informational response holds for the final one", () => {
    const interim = "HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n"
    expect(read(`${interim}${ok}Content-Length: 0\r\n\r\n`).keepAlive).toBe(false)
  })

  it("close holds for its own response only", () => {
    const { feed, heads, parser } = listening()
    parser.start("GET")
    feed(`${ok}Connection: close\r\nContent-Length: 0\r\n\r\n`)
    parser.start("GET")
    feed(`${ok}Content-Length: 0\r\n\r\n`)
    expect(heads.map((head) => head.keepAlive)).toEqual([false, true])
  })

  it("a 204 that announces content is not trusted with another request", () => {
    expect(read("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n").keepAlive).toBe(false)
    expect(read("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n").keepAlive).toBe(false)
    expect(read("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n").keepAlive).toBe(true)
  })
})

describe("informational responses", () => {
  it("are told one by one, and the final one follows", () => {
    const transcript = read(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" +
        `${ok}Content-Length: 2\r\n\r\nhi`
    )
    expect(transcript.informational).toEqual([
      ["1.1", "100", "Continue"],
      ["1.1", "103", "Early Hints", "link", "</a>"]
    ])
    expect(transcript).toMatchObject({ end: "complete", body: "hi" })
  })

  it("have no content, whatever they say", () => {
    const transcript = read(`HTTP/1.1 102 Processing\r\nContent-Length: 3\r\n\r\n${ok}Content-Length: 2\r\n\r\nhi`)
    expect(transcript.body).toBe("hi")
  })

  it("are not the answer", () => {
    expect(read("HTTP/1.1 100 Continue\r\n\r\n").code).toBe("IncompleteMessage")
  })
})

describe("other protocols", () => {
  const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

  it("101 hands over the bytes that follow", () => {
    const { feed, heads, parser } = listening()
    parser.start("GET")
    expect(feed(`${switching}raw`)).toEqual({ _tag: "Upgraded", offset: switching.length })
    expect(heads[0].status).toBe(101)
    expect(heads[0].keepAlive).toBe(false)
    expect(parser.state).toBe("upgraded")
    expect(feed("more")).toEqual({ _tag: "Upgraded", offset: 0 })
    expect(parser.finish()).toBeUndefined()
  })

  it("101 is told even if nothing follows it yet", () => {
    const { feed, parser } = listening()
    parser.start("GET")
    expect(feed(switching.slice(0, 20))).toBeUndefined()
    expect(feed(switching.slice(20))).toEqual({ _tag: "Upgraded", offset: switching.length - 20 })
  })

  it("a 2xx to CONNECT is a tunnel, its framing fields notwithstanding", () => {
    const head = `${ok}Transfer-Encoding: gzip\r\n\r\n`
    const { feed, parser } = listening()
    parser.start("CONNECT")
    expect(feed(`${head}raw`)).toEqual({ _tag: "Upgraded", offset: head.length })
  })

  it("an offer to upgrade changes nothing", () => {
    const transcript = read(`${ok}Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi`)
    expect(transcript).toMatchObject({ end: "complete", body: "hi", keepAlive: true })
  })
})

describe("violations", () => {
  it.each([
    ["not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", "InvalidStatusLine", "9112 §4"],
    ["lower case", "http/1.1 200 OK\r\n\r\n", "InvalidStatusLine", "9112 §4"],
    ["two spaces", "HTTP/1.1  200 OK\r\n\r\n", "InvalidStatusLine", "9110 §15"],
    ["a short status", "HTTP/1.1 20 OK\r\n\r\n", "InvalidStatusLine", "9110 §15"],
    ["a long status", "HTTP/1.1 2000 OK\r\n\r\n", "InvalidStatusLine", "9112 §4"],
    ["status 099", "HTTP/1.1 099 OK\r\n\r\n", "InvalidStatusLine", "9110 §15"],
    ["the letter x where a digit is due", "HTTP/1.x xxx OK\r\n\r\n", "InvalidStatusLine", "9112 §4"],
    ["NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n", "InvalidStatusLine", "9112 §4"],
    ["HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", "UnsupportedVersion", "9112 §2.3"],
    ["HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", "UnsupportedVersion", "9112 §2.3"],
    ["LF after the status line", "HTTP/1.1 200 OK\nA: b\r\n\r\n", "InvalidLineEnd", "9112 §2.2"],
    ["LF after the status code", "HTTP/1.1 200\nA: b\r\n\r\n", "InvalidLineEnd", "9112 §2.2"],
    ["CR after the status line", "HTTP/1.1 200 OK\rA: b\r\n\r\n", "InvalidLineEnd", "9112 §2.2"],
    ["LF after a field", `${ok}A: b\nC: d\r\n\r\n`, "InvalidLineEnd", "9112 §2.2"],
    ["CR after a field", `${ok}A: b\rC: d\r\n\r\n`, "InvalidLineEnd", "9112 §2.2"],
    ["LF as the empty line", `${ok}A: b\r\n\n`, "InvalidLineEnd", "9112 §2.2"],
    ["CR as the empty line", `${ok}A: b\r\n\rx`, "InvalidLineEnd", "9112 §2.2"],
    ["a space before the colon", `${ok}A : b\r\n\r\n`, "InvalidHeaderName", "9112 §5.1"],
    ["a tab before the colon", `${ok}A\t: b\r\n\r\n`, "InvalidHeaderName", "9112 §5.1"],
    ["a space before the first field", `${ok} A: b\r\n\r\n`, "InvalidHeaderName", "9112 §2.2"],
    ["no colon", `${ok}A\r\n\r\n`, "InvalidHeaderName", "9112 §5"],
    ["no name", `${ok}: b\r\n\r\n`, "InvalidHeaderName", "9110 §5.1"],
    ["a name that is no token", `${ok}A(b): c\r\n\r\n`, "InvalidHeaderName", "9110 §5.1"],
    ["a folded line", `${ok}A: b\r\n c\r\n\r\n`, "ObsoleteLineFolding", "9112 §5.2"],
    ["NUL in a value", `${ok}A: b\0\r\n\r\n`, "InvalidHeaderValue", "9110 §5.5"],
    ["DEL in a value", `${ok}A: \x7f\r\n\r\n`, "InvalidHeaderValue", "9110 §5.5"],
    ["a length that is no number", `${ok}Content-Length: 5x\r\n\r\n`, "InvalidContentLength", "9112 §6.3"],
    ["a signed length", `${ok}Content-Length: +5\r\n\r\n`, "InvalidContentLength", "9112 §6.3"],
    ["an empty length", `${ok}Content-Length: \r\n\r\n`, "InvalidContentLength", "9112 §6.3"],
    ["a list of lengths", `${ok}Content-Length: 5, 5\r\n\r\n`, "InvalidContentLength", "9112 §6.3"],
    ["a length twice", `${ok}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`, "RepeatedContentLength", "9112 §6.3"],
    ["two lengths", `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`, "RepeatedContentLength", "9112 §6.3"],
    ["2^53 bytes", `${ok}Content-Length: 9007199254740992\r\n\r\n`, "ContentLengthTooLarge", "9110 §8.6"],
    [
      "a length and chunked",
      `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
      "ConflictingFraming",
      "9112 §6.3"
    ],
    [
      "chunked in HTTP/1.0",
      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      "InvalidTransferEncoding",
      "9112 §6.1"
    ],
    ["gzip", `${ok}Transfer-Encoding: gzip\r\n\r\n`, "InvalidTransferEncoding", "9112 §7.4"],
    ["gzip, chunked", `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`, "InvalidTransferEncoding", "9112 §7.4"],
    ["chunked, gzip", `${ok}Transfer-Encoding: chunked, gzip\r\n\r\n`, "InvalidTransferEncoding", "9112 §7.4"],
    [
      "chunked twice",
      `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      "InvalidTransferEncoding",
      "9112 §7.4"
    ],
    ["101 without Upgrade", "HTTP/1.1 101 S\r\nConnection: upgrade\r\n\r\n", "InvalidUpgrade", "9110 §7.8"],
    [
      "101 with an empty Upgrade",
      "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade:\r\n\r\n",
      "InvalidUpgrade",
      "9110 §7.8"
    ],
    ["101 without Connection", "HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\n", "InvalidUpgrade", "9110 §7.8"],
    ["no chunk size", `${chunked}\r\n`, "InvalidChunkSize", "9112 §7.1"],
    ["a chunk size in another base", `${chunked}0x5\r\nhello\r\n0\r\n\r\n`, "InvalidChunkSize", "9112 §7.1"],
    ["a signed chunk size", `${chunked}-5\r\nhello\r\n0\r\n\r\n`, "InvalidChunkSize", "9112 §7.1"],
    ["a chunk of 2^53 bytes", `${chunked}20000000000000\r\n`, "ChunkTooLarge", "9112 §7.1"],
    ["a chunk size of 17 digits", `${chunked}00000000000000001\r\n`, "ChunkTooLarge", "9112 §7.1"],
    ["LF after a chunk size", `${chunked}5\nhello\r\n0\r\n\r\n`, "InvalidChunkSize", "9112 §7.1"],
    ["CR after a chunk size", `${chunked}5\rhello\r\n0\r\n\r\n`, "InvalidLineEnd", "9112 §7.1"],
    ["a space after a chunk size", `${chunked}5 \r\nhello\r\n0\r\n\r\n`, "InvalidChunkExtension", "9112 §7.1.1"],
    ["an extension without name", `${chunked}5;\r\nhello\r\n0\r\n\r\n`, "InvalidChunkExtension", "9112 §7.1.1"],
    ["an extension without value", `${chunked}5;a=\r\nhello\r\n0\r\n\r\n`, "InvalidChunkExtension", "9112 §7.1.1"],
    ["an unclosed quote", `${chunked}5;a="b\r\nhello\r\n0\r\n\r\n`, "InvalidChunkExtension", "9112 §7.1.1"],
    ["a chunk longer than its size", `${chunked}5\r\nhello!\r\n0\r\n\r\n`, "InvalidChunkEnd", "9112 §7.1"],
    ["LF after a chunk", `${chunked}5\r\nhello\n0\r\n\r\n`, "InvalidChunkEnd", "9112 §7.1"],
    ["a trailer that frames", `${chunked}0\r\nContent-Length: 5\r\n\r\n`, "ForbiddenTrailer", "9110 §6.5.1"],
    ["a folded trailer", `${chunked}0\r\nA: b\r\n c\r\n\r\n`, "ObsoleteLineFolding", "9112 §5.2"],
    ["a trailer that begins with a space", `${chunked}0\r\n A: b\r\n\r\n`, "ObsoleteLineFolding", "9112 §5.2"]
  ])("%s", (_, input, code, section) => {
    expect(violationOf(input)).toMatchObject({ code, section: `RFC ${section}` })
    expect(runOurs("GET", split(bytesOf(input), everyByte(bytesOf(input)))).outcome).toEqual(violationOf(input))
  })

  it("quote what was received so that it is safe in a log, and not at length", () => {
    expect(violationOf(`${ok}\x1b[31mA\r\n\r\n`).message).toBe("'\\x1b' in the name of a field: \"\\x1b\"")
    const { message } = violationOf(`${ok}${"A".repeat(5000)} : b\r\n\r\n`)
    expect(message).toContain("…AAAA")
    expect(message.length).toBeLessThan(200)
  })

  it("do not quote the value of a field", () => {
    expect(violationOf(`${ok}Set-Cookie: secret\0\r\n\r\n`).message).toBe("'\\x00' in the value of \"Set-Cookie\"")
  })

  it("are final", () => {
    const { feed, parser } = listening()
    parser.start("GET")
    const violation = feed("nonsense")
    expect(parser.state).toBe("failed")
    parser.start("GET")
    expect(feed(`${ok}Content-Length: 0\r\n\r\n`)).toBe(violation)
    expect(parser.finish()).toBe(violation)
  })
})

describe("the end of the stream", () => {
  it.each([
    ["before an answer", "", "before any byte of an answer"],
    ["within the head", "HTTP/1.1 200", "within a head"],
    ["after an informational response", "HTTP/1.1 100 Continue\r\n\r\n", "within a head"],
    ["within counted content", `${ok}Content-Length: 5\r\n\r\nhe`, "3 bytes before"],
    ["within a chunk", `${chunked}5\r\nhe`, "before the last chunk"],
    ["before the last chunk", `${chunked}5\r\nhello\r\n`, "before the last chunk"],
    ["within the trailers", `${chunked}0\r\nA: b\r\n`, "within the trailers"]
  ])("%s says what is missing", (_, input, message) => {
    const { code, message: actual, section } = violationOf(input)
    expect({ code, section }).toEqual({ code: "IncompleteMessage", section: "RFC 9112 §8" })
    expect(actual).toContain(message)
  })

  it("is nothing to complain about between two messages", () => {
    const { feed, parser } = listening()
    expect(parser.finish()).toBeUndefined()
    parser.start("GET")
    feed(`${ok}Content-Length: 0\r\n\r\n`)
    expect(parser.finish()).toBeUndefined()
  })
})

describe("limits", () => {
  const limits: ParserLimits = {
    maxHeaderBytes: 60,
    maxHeaders: 2,
    maxTrailerBytes: 20,
    maxChunkExtensionBytes: 8,
    maxInformational: 2
  }
  const padded = (length: number, head: string) => {
    const start = `${head}A: `
    return `${start}${"x".repeat(length - start.length - 4)}\r\n\r\n`
  }
  const noLength = "HTTP/1.1 204 No Content\r\n"

  it.each<[keyof ParserLimits, string, string, string]>([
    ["maxHeaderBytes", "HeadTooLarge", padded(60, noLength), padded(61, noLength)],
    ["maxHeaders", "TooManyHeaders", `${noLength}A:\r\nB:\r\n\r\n`, `${noLength}A:\r\nB:\r\nC:\r\n\r\n`],
    ["maxTrailerBytes", "TrailersTooLarge", `${chunked}0\r\n${padded(20, "")}`, `${chunked}0\r\n${padded(21, "")}`],
    ["maxHeaders", "TooManyTrailers", `${chunked}0\r\nA:\r\nB:\r\n\r\n`, `${chunked}0\r\nA:\r\nB:\r\nC:\r\n\r\n`],
    [
      "maxChunkExtensionBytes",
      "ChunkExtensionTooLarge",
      `${chunked}1;a=bcdef\r\nx\r\n0;a=bcdef\r\n\r\n`,
      `${chunked}1;a=bcdefg\r\nx\r\n0\r\n\r\n`
    ],
    [
      "maxInformational",
      "TooManyInformational",
      `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(2)}${noLength}\r\n`,
      `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(3)}${noLength}\r\n`
    ]
  ])("%s: %s", (name, code, within, beyond) => {
    expect(runOurs("GET", [bytesOf(within)], limits).transcript.end).toBe("complete")
    const violation = violationOf(beyond, "GET", limits)
    expect(violation).toMatchObject({ code, limit: { name, value: limits[name] } })
    expect(violation.message).toContain(`${name}: ${limits[name]}`)
    expect(runOurs("GET", split(bytesOf(beyond), everyByte(bytesOf(beyond))), limits).outcome).toEqual(violation)
  })

  it("a head without end is refused as soon as the limit is reached", () => {
    const { feed, parser } = listening()
    parser.start("GET")
    expect(feed(`${ok}A: `)).toBeUndefined()
    for (let i = 0; i < 15; i++) expect(feed("x".repeat(4096))).toBeUndefined()
    expect(feed("x".repeat(4096))).toMatchObject({ code: "HeadTooLarge" })
  })

  it("each informational response has the limit of a head for itself", () => {
    const interim = "HTTP/1.1 103 Early Hints\r\nLink: <12345>\r\n\r\n"
    expect(runOurs("GET", [bytesOf(`${interim}${interim}${noLength}\r\n`)], limits).transcript.end).toBe("complete")
  })
})

describe("one exchange after the other", () => {
  const answer = `${ok}Content-Length: 2\r\n\r\nhi`

  it("goes through the states", () => {
    const { feed, parser } = listening()
    expect(parser.state).toBe("idle")
    parser.start("GET")
    expect(parser.state).toBe("head")
    expect(parser.receivedAny).toBe(false)
    feed("H")
    expect(parser.state).toBe("head")
    expect(parser.receivedAny).toBe(true)
    feed(answer.slice(1, -1))
    expect(parser.state).toBe("body")
    feed("i")
    expect(parser.state).toBe("complete")
    parser.start("GET")
    expect(parser.state).toBe("head")
    expect(parser.receivedAny).toBe(false)
    feed(`${chunked}1\r\nx\r\n0\r\n`)
    expect(parser.state).toBe("body")
    expect(feed("\r\n")).toBeUndefined()
    expect(parser.state).toBe("complete")
  })

  it("nothing is an answer before it was asked for", () => {
    const { feed, heads, parser } = listening()
    expect(feed(answer)).toEqual({ _tag: "Unexpected", offset: 0 })
    parser.start("GET")
    expect(feed(answer)).toEqual({ _tag: "Unexpected", offset: 0 })
    expect(parser.state).toBe("failed")
    expect(heads).toEqual([])
  })

  it("bytes after a message are not the answer to the next request", () => {
    const { feed, heads, parser } = listening()
    parser.start("GET")
    expect(feed(answer + answer)).toEqual({ _tag: "Unexpected", offset: answer.length })
    expect(parser.state).toBe("failed")
    expect(heads.length).toBe(1)
  })

  it("bytes after a message are not the answer to a request made while it completes", () => {
    const { feed, heads, parser } = listening({ onComplete: () => parser.start("GET") })
    parser.start("GET")
    expect(feed(answer + answer)).toEqual({ _tag: "Unexpected", offset: answer.length })
    expect(heads.length).toBe(1)
    expect(feed(answer)).toEqual({ _tag: "Unexpected", offset: 0 })
  })

  it("a request may be made while the last answer completes, if nothing follows it", () => {
    let requests = 1
    const { feed, heads, parser } = listening({
      onComplete: () => {
        if (requests++ === 1) parser.start("HEAD")
      }
    })
    parser.start("GET")
    expect(feed(answer)).toBeUndefined()
    expect(parser.state).toBe("head")
    expect(feed(`${ok}Content-Length: 5\r\n\r\n`)).toBeUndefined()
    expect(heads.length).toBe(2)
  })

  it("no byte after HEAD, 204 or 304 is content", () => {
    expect(read(`${ok}Content-Length: 2\r\n\r\nhi`, "HEAD")).toMatchObject({ end: "complete", body: "", rest: "hi" })
    expect(read("HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nhi").rest).toBe("hi")
  })

  it("a second request during an answer is a fault that breaks nothing else", () => {
    const { feed, parser } = listening()
    parser.start("GET")
    feed("HTTP/1.1 200")
    parser.start("GET")
    expect(parser.state).toBe("failed")
    expect(feed(" OK\r\n")).toMatchObject({ code: "OverlappingExchange" })
  })

  it("no input is no event", () => {
    const { feed, parser } = listening()
    expect(feed("")).toBeUndefined()
    parser.start("GET")
    expect(feed("")).toBeUndefined()
    expect(parser.receivedAny).toBe(false)
  })
})

describe("cost", () => {
  it("of a head that comes byte by byte grows with its length, not with its square", () => {
    const time = (length: number) => {
      const head = bytesOf(`HTTP/1.1 204 No Content\r\nA: ${"x".repeat(length)}\r\n\r\n`)
      let best = Infinity
      for (let round = 0; round < 5; round++) {
        const { parser } = listening()
        parser.start("GET")
        const from = performance.now()
        for (let i = 0; i < head.length; i++) parser.execute(head, i, i + 1)
        best = Math.min(best, performance.now() - from)
        expect(parser.state).toBe("complete")
      }
      return best
    }
    time(1000)
    // 15 times the length: 225 times the time if it were the square.
    expect(time(60_000) / time(4_000)).toBeLessThan(60)
  })
})
