import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "node:assert"
import { execFile } from "node:child_process"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
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

/** The column of curl in the table of docs/networks.md: an entry, a host, whether it is excluded here and by curl 7.88. */
const beside: ReadonlyArray<readonly [entry: string, host: string, here: boolean, curl: boolean]> = [
  ["example.com", "example.com", true, true],
  ["example.com", "a.example.com", true, true],
  ["example.com", "notexample.com", false, false],
  [".example.com", "example.com", true, true],
  [".example.com", "a.example.com", true, true],
  ["*.example.com", "a.example.com", true, false],
  ["example.com.", "example.com", true, true],
  ["example.com:8080", "example.com:8080", true, false],
  ["192.0.2.1", "192.0.2.1", true, true],
  ["192.0.2.1", "[::ffff:192.0.2.1]", true, false],
  ["::1", "[::1]", true, true],
  ["[::1]", "[::1]", true, false],
  ["10.0.0.0/8", "10.1.2.3", true, true],
  ["10.0.0.0/8", "10.example.com", false, false],
  ["2001:db8::/32", "[2001:db8::1]", true, false],
  ["*", "a.test", true, true],
  ["b.test,*", "a.test", true, false]
]

const versionOfCurl = await new Promise<string>((resolve) =>
  execFile("curl", ["--version"], (error, stdout) => resolve(error === null ? stdout : "none"))
)

describe("NO_PROXY beside curl", () => {
  it("is what the table says of us", () => {
    for (const [entry, host, here] of beside) {
      const { hostname, port } = new URL(`http://${host}`)
      strictEqual(excludes(entry, hostname, Number(port || 80)), here, `${entry} and ${host}`)
    }
  })

  it.skipIf(!versionOfCurl.startsWith("curl 7.88"))("is what the table says of curl", async () => {
    // Wherever a URL leads to, a request that goes through no proxy comes here. A proxy hears CONNECT and hangs up.
    const direct = new Set<string | undefined>()
    const server = http.createServer(({ url }, response) => {
      direct.add(url)
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as AddressInfo
    const proxied = (entry: string, url: string) =>
      new Promise<void>((resolve) => {
        const args = ["-s", "-x", `http://127.0.0.1:${port}`, "--noproxy", entry, "--connect-to", `::127.0.0.1:${port}`]
        execFile("curl", [...args, url], () => resolve())
      })
    try {
      for (const [n, [entry, host]] of beside.entries()) await proxied(entry, `http://${host}/${n}`)
    } finally {
      server.close()
    }
    deepStrictEqual(
      beside.map(([entry, host], n) => [entry, host, direct.has(`/${n}`)]),
      beside.map(([entry, host, , curl]) => [entry, host, curl])
    )
  })
})
