import { expect, it } from "vitest"
import { defaultParserLimits } from "../../src/http1/ParserLimits.js"
import { contentLength, encodeHead } from "../../src/http1/RequestEncoder.js"
import { bytesOf, runOurs } from "./support/transcript.js"

// What mutation testing found that nothing noticed: exact bounds, and what messages quote.

const ok = "HTTP/1.1 200 OK\r\n"
const empty = `${ok}Content-Length: 0\r\n\r\n`
const read = (input: string, method = "GET") => runOurs(method, [bytesOf(input)])
const codeOf = (input: string, method = "GET") => read(input, method).transcript.code
const detailOf = (input: string) => {
  const { outcome } = read(input)
  return outcome?._tag === "ProtocolError" ? outcome.message : ""
}

it("a parser's limits are what the documents say", () => {
  expect(defaultParserLimits).toEqual({ maxHeaderSize: 262_144, maxInformationalSize: 262_144 })
})

it("four empty lines go before a response head, and before the one after an informational response", () => {
  for (const before of ["", "HTTP/1.1 103 Early Hints\r\n\r\n"]) {
    expect(read(before + "\r\n".repeat(4) + empty).transcript.end).toBe("complete")
    expect(codeOf(before + "\r\n".repeat(5) + empty)).toBe("InvalidStatusLine")
  }
})

it("a response of 300 to CONNECT is no tunnel, one of 299 is", () => {
  expect(read("HTTP/1.1 300 Choices\r\nContent-Length: 2\r\n\r\nno", "CONNECT").transcript.end).toBe("complete")
  expect(read("HTTP/1.1 299 Made up\r\n\r\n", "CONNECT").transcript.end).toBe("upgraded")
})

it("what is no status is quoted up to its last digit", () => {
  expect(detailOf("HTTP/1.1 099 OK\r\n\r\n")).toContain("\"HTTP/1.1 099\"")
})

it("a chunk's extension has nothing behind a quoted value", () => {
  const chunk = (extension: string) => `${ok}Transfer-Encoding: chunked\r\n\r\n1${extension}\r\nx\r\n0\r\n\r\n`
  expect(read(chunk(";a=\"b\"")).transcript.end).toBe("complete")
  expect(read(chunk(";a=\"b\" ;c")).transcript.end).toBe("complete")
  expect(read(chunk(";a=\"b\"c;d")).transcript.end).toBe("rejected")
})

const refusalOf = (headers: Record<string, string>) =>
  encodeHead({ method: "POST", target: "/", host: "a.test", headers, framing: contentLength(5) } as never)

it("a header that contradicts the body is told with both, and what cannot be sent is quoted", () => {
  const conflict = { code: "ConflictingFraming", message: expect.stringContaining("of 5 bytes") }
  expect(refusalOf({ "transfer-encoding": "chunked" })).toMatchObject(conflict)
  expect(refusalOf({ "a\u2603": "b" })).toMatchObject({ message: expect.stringContaining("\\u{2603}") })
  expect(refusalOf({ "a\x7f": "b" })).toMatchObject({ message: expect.stringContaining("\\x7f") })
})
