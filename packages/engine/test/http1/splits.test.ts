import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { ParserLimits } from "../../src/http1/ParserLimits.js"
import { defaultParserLimits } from "../../src/http1/ParserLimits.js"
import { ResponseParser } from "../../src/http1/ResponseParser.js"
import { exchange } from "./support/exchanges.js"
import { bytesOf, everyByte, latin1, runOurs, split } from "./support/transcript.js"

describe("splits", () => {
  it("do not change what a response is", () => {
    fc.assert(
      fc.property(exchange, ({ cuts, input, method }) => {
        const bytes = bytesOf(input)
        const whole = runOurs(method, [bytes]).log
        expect(runOurs(method, split(bytes, everyByte(bytes))).log).toEqual(whole)
        expect(runOurs(method, split(bytes, cuts)).log).toEqual(whole)
      }),
      { numRuns: 2000 }
    )
  })

  it("do not change which limit is passed, and where", () => {
    const limits = fc.record<ParserLimits>({
      maxHeaderSize: fc.integer({ min: 1, max: 120 }),
      maxInformationalSize: fc.integer({ min: 0, max: 60 })
    })
    let passed = 0
    fc.assert(
      fc.property(exchange, limits, ({ cuts, input, method }, limits) => {
        const bytes = bytesOf(input)
        const whole = runOurs(method, [bytes], limits)
        if (whole.outcome?._tag === "ProtocolError" && whole.outcome.limit !== undefined) passed++
        expect(runOurs(method, split(bytes, everyByte(bytes)), limits).log).toEqual(whole.log)
        expect(runOurs(method, split(bytes, cuts), limits).log).toEqual(whole.log)
      }),
      { numRuns: 1000 }
    )
    expect(passed).toBeGreaterThan(100)
  })

  it("in two, at every position, do not change a long response", () => {
    const input = bytesOf(
      "\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nServer: x\r\nTransfer-Encoding: chunked\r\n" +
        "Keep-Alive: timeout=5, max=7\r\nSet-Cookie:  a=b \r\n\r\n5;a=\"b\\\"\";c\r\nhello\r\n00a\r\n0123456789\r\n0\r\n" +
        "X-Sum: abc\r\n\r\n"
    )
    const whole = runOurs("GET", [input])
    expect(whole.transcript).toMatchObject({ end: "complete", body: "hello0123456789", trailers: ["x-sum", "abc"] })
    for (let cut = 1; cut < input.length; cut++) {
      expect(runOurs("GET", split(input, [cut])).log).toEqual(whole.log)
    }
  })

  it("of several connections at once do not mix", () => {
    const values = [1, 50, 3000, 5000].map((length, i) => String(i).repeat(length))
    const received: Array<Array<string>> = values.map(() => [])
    const connections = values.map((value, i) => {
      const parser = new ResponseParser({
        onInformational: () => {},
        onHead: (head) => received[i].push(head.rawHeaders[1]),
        onBody: () => {},
        onComplete: () => {}
      }, { limits: defaultParserLimits, latin1 })
      return { parser, bytes: bytesOf(`HTTP/1.1 204 No Content\r\nName: ${value}\r\n\r\n`) }
    })
    for (let round = 0; round < 2; round++) {
      for (const { parser } of connections) parser.start("GET")
      for (let at = 0; at < 6000; at += 7) {
        for (const { bytes, parser } of connections) parser.execute(bytes, at, Math.min(at + 7, bytes.length))
      }
    }
    expect(received).toEqual(values.map((value) => [value, value]))
  })

  it("leave the input as it was", () => {
    const input = bytesOf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    const copy = input.slice()
    runOurs("GET", [input])
    expect(input).toEqual(copy)
  })
})
