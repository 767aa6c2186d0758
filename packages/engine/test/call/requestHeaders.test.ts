import { requestHeaders, withoutHeader } from "@sluice/engine/call"
import { describe, expect, it } from "vitest"

const acceptEncoding = { "accept-encoding": "gzip" }

/** As the headers of a platform are: with a prototype of their own. */
const headers = (given: Record<string, string>) => Object.assign(Object.create({ [Symbol("headers")]: 1 }), given)

const entries = (given: Readonly<Record<string, string>>) => Object.entries(given)

describe("the header fields of a request", () => {
  it("are those that were given, where there is nothing to add", () => {
    const given = headers({ a: "1" })
    expect(requestHeaders(given, undefined, undefined, undefined, undefined)).toBe(given)
  })

  it("are one object for all requests that have none of their own", () => {
    expect(requestHeaders(headers({}), undefined, undefined, undefined, acceptEncoding)).toBe(acceptEncoding)
  })

  it("come in the order in which they were given, followed by what the client adds", () => {
    const all = requestHeaders(headers({ b: "1", a: "2" }), "text/plain", "Basic eA==", "k", acceptEncoding)
    expect(entries(all)).toEqual([
      ["b", "1"],
      ["a", "2"],
      ["content-type", "text/plain"],
      ["authorization", "Basic eA=="],
      ["idempotency-key", "k"],
      ["accept-encoding", "gzip"]
    ])
  })

  it("of the user count", () => {
    const given = headers({ "content-type": "text/html", authorization: "Bearer t" })
    expect(requestHeaders(given, "text/plain", "Basic eA==", undefined, undefined)).toBe(given)
  })

  it("may have the names of what every object has", () => {
    const given = JSON.parse("{\"__proto__\":\"1\",\"constructor\":\"2\"}")
    expect(entries(requestHeaders(given, undefined, undefined, undefined, acceptEncoding))).toEqual([
      ["__proto__", "1"],
      ["constructor", "2"],
      ["accept-encoding", "gzip"]
    ])
    expect(entries(withoutHeader(given, "constructor"))).toEqual([["__proto__", "1"]])
  })

  it("are not touched by leaving one out", () => {
    const given = headers({ a: "1", b: "2" })
    expect(withoutHeader(given, "c")).toBe(given)
    expect(entries(withoutHeader(given, "a"))).toEqual([["b", "2"]])
    expect(entries(given)).toEqual([["a", "1"], ["b", "2"]])
  })
})
