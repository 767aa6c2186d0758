import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Fields } from "./hpack/support.js"
import { converse } from "./realFrames.js"

/** What nghttp2 lets pass: tokens in lower case, values without controls and outer blanks; no framing fields. */
const name = fc.constantFrom(
  "x-a",
  "x-b",
  "x-request-id",
  "user-agent",
  "accept-language",
  "x-authorization",
  "x-!#$%&'*+-.^_`|~"
)
const value = fc.oneof(
  fc.constantFrom("same", "another", "0123456789", "\u00e9\u00ff\u0080"),
  fc.stringOf(
    fc.integer({ min: 0x21, max: 0xff }).filter((code) => code !== 0x7f).map((code) => String.fromCharCode(code)),
    {
      maxLength: 200
    }
  )
)

const request: fc.Arbitrary<Fields> = fc.tuple(
  fc.constantFrom("/", "/index.html", "/a/b?c=d", `/${"long/".repeat(600)}`),
  fc.uniqueArray(fc.tuple(name, value), { selector: ([name]) => name, maxLength: 6 })
).map(([path, fields]) => [
  [":method", "GET"],
  [":scheme", "http"],
  [":authority", "localhost"],
  [":path", path],
  ...fields
])

describe("against nghttp2 in a node:http2 server", () => {
  it("it reads what we write, and we read what it writes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 20 }),
        fc.constantFrom(0, 100, 4096, 65_536),
        async (requests, headerTableSize) => {
          const { responses } = await converse(requests, headerTableSize)
          expect(responses).toHaveLength(requests.length)
          responses.forEach((fields, i) => {
            const received = new Map(fields)
            const [, , , [, path], ...sent] = requests[i]
            expect(received.get(":status")).toBe("200")
            expect(received.get("x-path")).toBe(path)
            for (const [name, value] of sent) expect([name, received.get(name)]).toEqual([name, value])
          })
        }
      ),
      { numRuns: 40 }
    )
  })
})
