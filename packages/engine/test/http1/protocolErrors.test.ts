import { describe, expect, it } from "vitest"
import { defaultParserLimits } from "../../src/http1/ParserLimits.js"
import type { ParserLimits } from "../../src/http1/ParserLimits.js"
import { listening } from "./support/listening.js"
import { bytesOf, everyByte, runOurs, split } from "./support/transcript.js"

const ok = "HTTP/1.1 200 OK\r\n"
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`
const protocolErrorOf = (input: string, method = "GET", limits: ParserLimits = defaultParserLimits) => {
  const { outcome } = runOurs(method, [bytesOf(input)], limits)
  if (outcome?._tag !== "ProtocolError") throw new Error(`no protocol error: ${JSON.stringify(outcome)}`)
  return outcome
}

describe("protocol errors", () => {
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
    ["another first letter", `${ok}Transfer-Encoding: xhunked\r\n\r\n`, "InvalidTransferEncoding", "9112 §7.4"],
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
    ["a chunk size that has no end", `${chunked}${"0".repeat(5000)}1\r\n`, "ChunkTooLarge", "9112 §7.1"],
    ["LF after a chunk size", `${chunked}5\nhello\r\n0\r\n\r\n`, "InvalidChunkSize", "9112 §7.1"],
    ["CR after a chunk size", `${chunked}5\rhello\r\n0\r\n\r\n`, "InvalidLineEnd", "9112 §7.1"],
    ["a space after a chunk size", `${chunked}5 \r\nhello\r\n0\r\n\r\n`, "InvalidChunkExtension", "9112 §7.1.1"],
    ["an extension without name", `${chunked}5;\r\nhello\r\n0\r\n\r\n`, "InvalidChunkExtension", "9112 §7.1.1"],
    ["an extension without value", `${chunked}5;a=\r\nhello\r\n0\r\n\r\n`, "InvalidChunkExtension", "9112 §7.1.1"],
    ["an unclosed quote", `${chunked}5;a="b\r\nhello\r\n0\r\n\r\n`, "InvalidChunkExtension", "9112 §7.1.1"],
    ["a chunk longer than its size", `${chunked}5\r\nhello!\r\n0\r\n\r\n`, "InvalidChunkEnd", "9112 §7.1"],
    ["LF after a chunk", `${chunked}5\r\nhello\n0\r\n\r\n`, "InvalidChunkEnd", "9112 §7.1"],
    ["a trailer that frames", `${chunked}0\r\nContent-Length: 5\r\n\r\n`, "ForbiddenTrailer", "9110 §6.5.1"],
    ["a trailer that begins with a space", `${chunked}0\r\n A: b\r\n\r\n`, "ObsoleteLineFolding", "9112 §5.2"]
  ])("%s", (_, input, code, section) => {
    expect(protocolErrorOf(input)).toMatchObject({ code, section: `RFC ${section}` })
    expect(runOurs("GET", split(bytesOf(input), everyByte(bytesOf(input)))).outcome).toEqual(protocolErrorOf(input))
  })

  it("quote what was received so that it is safe in a log, and not at length", () => {
    expect(protocolErrorOf(`${ok}\x1b[31mA\r\n\r\n`).message).toBe("'\\x1b' in the name of a field: \"\\x1b\"")
    const { message } = protocolErrorOf(`${ok}${"A".repeat(5000)} : b\r\n\r\n`)
    expect(message).toContain("…AAAA")
    expect(message.length).toBeLessThan(200)
  })

  it("do not quote the value of a field", () => {
    expect(protocolErrorOf(`${ok}Set-Cookie: secret\0\r\n\r\n`).message).toBe("'\\x00' in the value of \"Set-Cookie\"")
  })

  it("are final", () => {
    const { feed, parser } = listening()
    parser.start("GET")
    const error = feed("nonsense")
    expect(parser.state).toBe("failed")
    parser.start("GET")
    expect(feed(`${ok}Content-Length: 0\r\n\r\n`)).toBe(error)
    expect(parser.finish()).toBe(error)
  })
})

describe("the end of the stream", () => {
  it.each([
    ["before a response", "", "before any byte of a response"],
    ["within the head", "HTTP/1.1 200", "within a response head"],
    ["after an informational response", "HTTP/1.1 100 Continue\r\n\r\n", "within a response head"],
    ["within counted content", `${ok}Content-Length: 5\r\n\r\nhe`, "3 bytes before"],
    ["within a chunk", `${chunked}5\r\nhe`, "before the last chunk"],
    ["before the last chunk", `${chunked}5\r\nhello\r\n`, "before the last chunk"],
    ["within the trailers", `${chunked}0\r\nA: b\r\n`, "within the trailers"]
  ])("%s says what is missing", (_, input, message) => {
    const { code, message: actual, section } = protocolErrorOf(input)
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
  const limits: ParserLimits = { maxHeaderSize: 60, maxInformationalSize: 50 }
  const padded = (length: number, head: string) => {
    const start = `${head}A: `
    return `${start}${"x".repeat(length - start.length - 4)}\r\n\r\n`
  }
  const noLength = "HTTP/1.1 204 No Content\r\n"

  it.each<[keyof ParserLimits, string, string, string]>([
    ["maxHeaderSize", "HeadTooLarge", padded(60, noLength), padded(61, noLength)],
    ["maxHeaderSize", "TrailersTooLarge", `${chunked}0\r\n${padded(60, "")}`, `${chunked}0\r\n${padded(61, "")}`],
    [
      "maxInformationalSize",
      "InformationalTooLarge",
      `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(2)}${noLength}\r\n`,
      `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(3)}${noLength}\r\n`
    ]
  ])("%s: %s", (name, code, within, beyond) => {
    expect(runOurs("GET", [bytesOf(within)], limits).transcript.end).toBe("complete")
    const error = protocolErrorOf(beyond, "GET", limits)
    expect(error).toMatchObject({ code, limit: { name, value: limits[name] } })
    expect(error.message).toContain(`${name}: ${limits[name]}`)
    expect(runOurs("GET", split(bytesOf(beyond), everyByte(bytesOf(beyond))), limits).outcome).toEqual(error)
  })

  it("a head without end is refused as soon as the limit is reached", () => {
    const { feed, parser } = listening()
    parser.start("GET")
    expect(feed(`${ok}A: `)).toBeUndefined()
    for (let i = 0; i < 63; i++) expect(feed("x".repeat(4096))).toBeUndefined()
    expect(feed("x".repeat(4096))).toMatchObject({ code: "HeadTooLarge" })
  })

  it("each informational response has the limit of a head for itself", () => {
    const interim = "HTTP/1.1 103 Early Hints\r\nLink: <12345>\r\n\r\n"
    const roomy = { ...limits, maxInformationalSize: 1000 }
    expect(runOurs("GET", [bytesOf(`${interim}${interim}${noLength}\r\n`)], roomy).transcript.end).toBe("complete")
  })
})
