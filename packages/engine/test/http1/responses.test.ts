import { describe, expect, it } from "vitest"
import { listening } from "./support/listening.js"
import { bytesOf, runOurs } from "./support/transcript.js"

const ok = "HTTP/1.1 200 OK\r\n"
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`
const read = (input: string, method = "GET") => runOurs(method, [bytesOf(input)]).transcript

describe("the response head", () => {
  it("gives status, version, reason and fields", () => {
    const { head } = read(`HTTP/1.0 404 Not  Found\r\nX-One:1\r\nx-TWO: \t two words\t \r\nEmpty:\r\nA: \xe9\r\n\r\n`)
    expect(head).toEqual(
      ["1.0", "404", "Not  Found", "x-one", "1", "x-two", "two words", "empty", "", "a", "\xe9"]
    )
  })

  it("keeps repeated fields separate and in order", () => {
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

  it("outlives the next response head", () => {
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
    expect(read(`${"\r\n".repeat(5)}${ok}\r\n`).code).toBe("InvalidStatusLine")
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

  it("reads the first of several Keep-Alive", () => {
    const { feed, heads, parser } = listening()
    parser.start("GET")
    feed(`${ok}Keep-Alive: timeout=5\r\nKeep-Alive: timeout=6\r\nContent-Length: 0\r\n\r\n`)
    expect(heads[0].keepAliveTimeout).toBe(5)
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
    ["304, chunked", "GET", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", "", false],
    [
      "a response to CONNECT that is no tunnel",
      "CONNECT",
      "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno",
      "no",
      true
    ],
    // As long as "chunked", which is what is looked at first.
    [
      "a response to HEAD with an unknown coding of seven letters",
      "HEAD",
      `${ok}Transfer-Encoding: dentity\r\n\r\n`,
      "",
      false
    ],
    [
      "a response to HEAD that is chunked twice",
      "HEAD",
      `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      "",
      false
    ]
  ])("%s", (_, method, input, body, keepAlive) => {
    const transcript = read(input, method)
    expect(transcript).toMatchObject({ end: "complete", body, keepAlive, rest: "" })
  })

  it("Content-Length is reported, also where it frames nothing", () => {
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

  it("counts the digits of each chunk by themselves", () => {
    expect(read(`${chunked}${"0001\r\nx\r\n".repeat(100)}0\r\n\r\n`).body).toBe("x".repeat(100))
  })

  it("counts the extensions of each chunk by themselves", () => {
    const chunk = `1;${"a".repeat(1000)}\r\nx\r\n`
    expect(read(`${chunked}${chunk.repeat(10)}0\r\n\r\n`).body).toBe("x".repeat(10))
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
  it("are reported one by one, and the final one follows", () => {
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

  it("are counted for each response by itself", () => {
    const { feed, heads, parser } = listening()
    for (let i = 0; i < 4; i++) {
      parser.start("GET")
      expect(feed(`${"HTTP/1.1 102 Processing\r\n\r\n".repeat(10)}${ok}Content-Length: 0\r\n\r\n`)).toBeUndefined()
    }
    expect(heads.length).toBe(4)
  })

  it("are not the response", () => {
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

  it("101 is reported even if nothing follows it yet", () => {
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
