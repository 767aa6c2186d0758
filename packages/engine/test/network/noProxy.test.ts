import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "node:assert"
import { domainToASCII } from "node:url"
import { parseNoProxy } from "../../src/network/index.js"

const excludes = (list: string, host: string, port = 443) => {
  const noProxy = parseNoProxy(list, domainToASCII)
  return typeof noProxy === "function" ? noProxy(host, port) : noProxy.invalid
}

/** The table of docs/networks.md: a list, what it means, what it does not. */
const table: ReadonlyArray<readonly [list: string, excluded: ReadonlyArray<string>, not: ReadonlyArray<string>]> = [
  ["example.com", ["example.com", "a.example.com", "a.b.example.com", "EXAMPLE.com", "example.com."], [
    "notexample.com",
    "example.com.evil.test",
    "com",
    "example.org"
  ]],
  [".example.com", ["example.com", "a.example.com"], ["notexample.com", "com"]],
  ["*.example.com", ["example.com", "a.example.com"], ["notexample.com"]],
  ["example.com.", ["example.com", "a.example.com", "example.com."], ["notexample.com"]],
  ["bücher.example", ["xn--bcher-kva.example", "a.xn--bcher-kva.example"], ["bcher.example"]],
  ["*", ["example.com", "192.0.2.1", "[::1]"], []],
  ["192.0.2.1", ["192.0.2.1", "[::ffff:192.0.2.1]", "::ffff:c000:201"], ["192.0.2.10", "192.0.2.2"]],
  ["10.0.0.0/8", ["10.0.0.1", "10.255.255.255", "[::ffff:a00:1]"], ["11.0.0.1", "10.example.com", "ten.test"]],
  ["0.0.0.0/0", ["1.2.3.4"], ["[2001:db8::1]", "a.test"]],
  ["2001:db8::1", ["[2001:db8::1]", "2001:db8:0:0::1"], ["[2001:db8::2]"]],
  ["[2001:db8::1]", ["[2001:db8::1]"], ["[2001:db8::2]"]],
  ["2001:db8::/32", ["[2001:db8:ffff::1]"], ["[2001:db9::1]", "192.0.2.1"]],
  ["[2001:db8::]/32", ["[2001:db8:ffff::1]"], ["[2001:db9::1]"]],
  ["::ffff:10.0.0.0/104", ["10.1.2.3"], ["11.1.2.3"]],
  ["a.test, b.test c.test\td.test,,", ["a.test", "b.test", "c.test", "d.test"], ["e.test"]],
  ["", [], ["a.test"]],
  ["under_score.test", ["under_score.test"], ["score.test"]]
]

describe("NO_PROXY", () => {
  for (const [list, excluded, not] of table) {
    it(JSON.stringify(list), () => {
      deepStrictEqual(excluded.map((host) => [host, excludes(list, host)]), excluded.map((host) => [host, true]))
      deepStrictEqual(not.map((host) => [host, excludes(list, host)]), not.map((host) => [host, false]))
    })
  }

  it("with a port means that port only", () => {
    for (
      const [list, host] of [
        ["example.com:8080", "a.example.com"],
        ["192.0.2.1:8080", "192.0.2.1"],
        ["[2001:db8::1]:8080", "2001:db8::1"],
        ["[2001:db8::1]:8080", "[2001:db8::1]"],
        ["*:8080", "a.test"]
      ] as const
    ) {
      strictEqual(excludes(list, host, 8080), true, list)
      strictEqual(excludes(list, host, 80), false, list)
    }
  })

  it("that cannot be read is reported", () => {
    for (
      const list of [
        "10.0.0.0/33",
        "2001:db8::/129",
        "10.*",
        "a.test:0",
        "a.test:70000",
        "a.test:x",
        "http://a.test",
        "300.1.1.1",
        "a..test",
        "[::1"
      ]
    ) {
      strictEqual(excludes(`ok.test,${list}`, "ok.test"), list)
    }
  })
})
