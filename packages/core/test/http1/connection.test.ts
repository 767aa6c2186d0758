import { describe, expect, it } from "vitest"
import { BlockReader } from "../../src/internal/http1/BlockReader.js"
import { defaultParserLimits } from "../../src/internal/http1/ParserLimits.js"
import { listening } from "./support/listening.js"
import { bytesOf, latin1, runOurs } from "./support/transcript.js"

const ok = "HTTP/1.1 200 OK\r\n"
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`
const read = (input: string, method = "GET") => runOurs(method, [bytesOf(input)]).transcript

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
    const reader = new BlockReader(defaultParserLimits, latin1)
    const scan = reader.scanner.scan.bind(reader.scanner)
    let octets = 0
    reader.scanner.scan = (bytes, base, from, end) => {
      octets += end - from
      return scan(bytes, base, from, end)
    }
    const head = bytesOf(`${ok}A: ${"x".repeat(60_000)}\r\nB: c\r\n\r\n`)
    reader.scanner.beginHead()
    for (let i = 0; i < head.length - 1; i++) reader.read(head, i, i + 1)
    expect(reader.read(head, head.length - 1, head.length)).toBe(head.length)
    expect(reader.text()).toBe(latin1(head, 0, head.length))
    expect(octets).toBe(head.length)
  })
})
