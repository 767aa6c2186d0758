import { describe, expect, it } from "vitest"
import { BlockReader } from "../../src/http1/BlockReader.js"
import { defaultParserLimits } from "../../src/http1/ParserLimits.js"
import { listening } from "./support/listening.js"
import { bytesOf, latin1, runOurs } from "./support/transcript.js"

const ok = "HTTP/1.1 200 OK\r\n"
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`
const read = (input: string, method = "GET") => runOurs(method, [bytesOf(input)]).transcript

describe("one exchange after the other", () => {
  const response = `${ok}Content-Length: 2\r\n\r\nhi`

  it("goes through the states", () => {
    const { feed, parser } = listening()
    expect(parser.state).toBe("idle")
    parser.start("GET")
    expect(parser.state).toBe("head")
    expect(parser.receivedAny).toBe(false)
    feed("H")
    expect(parser.state).toBe("head")
    expect(parser.receivedAny).toBe(true)
    feed(response.slice(1, -1))
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

  it("nothing is a response before it was asked for", () => {
    const { feed, heads, parser } = listening()
    expect(feed(response)).toEqual({ _tag: "Unexpected", offset: 0 })
    parser.start("GET")
    expect(feed(response)).toEqual({ _tag: "Unexpected", offset: 0 })
    expect(parser.state).toBe("failed")
    expect(heads).toEqual([])
  })

  it("bytes after a message are not the response to the next request", () => {
    const { feed, heads, parser } = listening()
    parser.start("GET")
    expect(feed(response + response)).toEqual({ _tag: "Unexpected", offset: response.length })
    expect(parser.state).toBe("failed")
    expect(heads.length).toBe(1)
  })

  it("bytes after a message are not the response to a request made while it completes", () => {
    const { feed, heads, parser } = listening({ onComplete: () => parser.start("GET") })
    parser.start("GET")
    expect(feed(response + response)).toEqual({ _tag: "Unexpected", offset: response.length })
    expect(heads.length).toBe(1)
    expect(feed(response)).toEqual({ _tag: "Unexpected", offset: 0 })
  })

  it("a request may be made while the last response completes, if nothing follows it", () => {
    let requests = 1
    const { feed, heads, parser } = listening({
      onComplete: () => {
        if (requests++ === 1) parser.start("HEAD")
      }
    })
    parser.start("GET")
    expect(feed(response)).toBeUndefined()
    expect(parser.state).toBe("head")
    expect(feed(`${ok}Content-Length: 5\r\n\r\n`)).toBeUndefined()
    expect(heads.length).toBe(2)
  })

  it("no byte after HEAD, 204 or 304 is content", () => {
    expect(read(`${ok}Content-Length: 2\r\n\r\nhi`, "HEAD")).toMatchObject({ end: "complete", body: "", rest: "hi" })
    expect(read("HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nhi").rest).toBe("hi")
  })

  it("a second request during a response is a fault that breaks nothing else", () => {
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

describe("several connections", () => {
  it("read heads and trailers that come in pieces, in turns", () => {
    const connections = Array.from({ length: 5 }, (_, i) => {
      const trailers: Array<ReadonlyArray<string>> = []
      const connection = listening({ onComplete: (received) => trailers.push(received) })
      connection.parser.start("GET")
      const status = 400 + i
      const tag = "x".repeat(i + 1)
      const input =
        `HTTP/1.1 ${status} ${tag}\r\nTransfer-Encoding: chunked\r\nTag: ${tag}\r\n\r\n0\r\nEnd: ${tag}\r\n\r\n`
      return { ...connection, trailers, tag, input, status }
    })
    // The first takes one byte at a time, the next two, and so on: the last has ended long before the first.
    for (let turn = 0; connections.some(({ parser }) => parser.state !== "complete"); turn++) {
      connections.forEach(({ feed, input }, i) => {
        expect(feed(input.slice(turn * (i + 1), (turn + 1) * (i + 1)))).toBeUndefined()
      })
    }
    for (const { heads, status, tag, trailers } of connections) {
      expect(heads.map((head) => head.status)).toEqual([status])
      expect(heads[0].reasonPhrase).toBe(tag)
      expect(heads[0].rawHeaders).toEqual(["transfer-encoding", "chunked", "tag", tag])
      expect(trailers).toEqual([["end", tag]])
    }
  })

  it("are not disturbed by one whose request head is refused", () => {
    const first = listening()
    const second = listening()
    for (const { parser } of [first, second]) parser.start("GET")
    first.feed(`${ok}A: b\r\nC`)
    expect(second.feed("nonsense")).toMatchObject({ code: "InvalidStatusLine" })
    const third = listening()
    third.parser.start("GET")
    third.feed(`${ok}Content-Length: 0\r\n\r\n`)
    first.feed(": d\r\nContent-Length: 0\r\n\r\n")
    expect(first.heads[0].rawHeaders).toEqual(["a", "b", "c", "d", "content-length", "0"])
    expect(third.heads[0].rawHeaders).toEqual(["content-length", "0"])
  })
})

describe("cost", () => {
  it("of a response head that comes byte by byte grows with its length, not with its square", () => {
    const reader = new BlockReader()
    const scan = reader.scanner.scan.bind(reader.scanner)
    let octets = 0
    reader.scanner.scan = (bytes, base, from, end) => {
      octets += end - from
      return scan(bytes, base, from, end)
    }
    const head = bytesOf(`${ok}A: ${"x".repeat(60_000)}\r\nB: c\r\n\r\n`)
    reader.scanner.beginHead(defaultParserLimits)
    for (let i = 0; i < head.length - 1; i++) reader.read(head, i, i + 1)
    expect(reader.read(head, head.length - 1, head.length)).toBe(head.length)
    expect(reader.text(latin1)).toBe(latin1(head, 0, head.length))
    expect(octets).toBe(head.length)
  })
})
