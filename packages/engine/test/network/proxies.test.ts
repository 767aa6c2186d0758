import { describe, it } from "@effect/vitest"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import { domainToASCII } from "node:url"
import { type Environment, parseProxy, proxiesOf } from "../../src/network/index.js"

const parse = (text: string) => parseProxy(text, domainToASCII)

describe("The URL of a proxy", () => {
  const right: ReadonlyArray<readonly [string, string, credentials?: readonly [string, string]]> = [
    ["http://p.test:3128", "http://p.test:3128"],
    ["http://p.test:3128/", "http://p.test:3128"],
    ["p.test:3128", "http://p.test:3128"],
    ["p.test", "http://p.test:80"],
    ["HTTPS://P.test", "https://p.test:443"],
    ["socks5://p.test", "socks5://p.test:1080"],
    ["socks5h://[2001:db8::1]:9", "socks5h://[2001:db8::1]:9"],
    ["http://ann:secret@p.test:1", "http://p.test:1", ["ann", "secret"]],
    ["ann:secret@p.test:1", "http://p.test:1", ["ann", "secret"]],
    ["http://a%40b:p%3Aq%2F@p.test:1", "http://p.test:1", ["a@b", "p:q/"]],
    ["http://ann:p@ss:w@p.test:1", "http://p.test:1", ["ann", "p@ss:w"]],
    ["http://ann@p.test:1", "http://p.test:1", ["ann", ""]],
    ["http://100%:1%@p.test:1", "http://p.test:1", ["100%", "1%"]],
    ["http://bücher.test:1", "http://xn--bcher-kva.test:1"]
  ]
  for (const [text, href, credentials] of right) {
    it(text, () => {
      const proxy = parse(text)
      ok(!("invalid" in proxy), "invalid" in proxy ? proxy.invalid : "")
      strictEqual(proxy.href, href)
      deepStrictEqual(
        proxy.credentials,
        credentials && { username: credentials[0], password: credentials[1] }
      )
    })
  }

  for (
    const text of [
      "",
      "http://",
      "http://p.test:0",
      "http://p.test:70000",
      "http://p.test:x",
      "http://p.test/path",
      "http://p.test?x",
      "socks4://p.test",
      "socks://p.test",
      "ftp://p.test",
      "http://[::zz]:1",
      "http://p test",
      "socks5://ann@p.test",
      `socks5://ann:${"x".repeat(256)}@p.test`
    ]
  ) {
    it(`is not ${JSON.stringify(text.slice(0, 40))}`, () => {
      const proxy = parse(text)
      ok("invalid" in proxy)
    })
  }

  it("is never shown when it is none", () => {
    const proxy = parse("ftp://ann:secret@p.test")
    ok("invalid" in proxy && !proxy.invalid.includes("secret"))
  })
})

describe("The proxies of the environment", () => {
  const choose = (environment: Environment, url: string): string | undefined => {
    const found = proxiesOf(environment, domainToASCII)
    if (found === undefined) return undefined
    if (!("noProxy" in found)) return found.map(({ name }) => `${name}!`).join(",")
    const { hostname, port, protocol } = new URL(url)
    const number = Number(port || (protocol === "http:" ? 80 : 443))
    if (found.noProxy(hostname, number)) return undefined
    return (protocol === "http:" ? found.http : found.https)?.href
  }
  const cases: ReadonlyArray<readonly [string, Environment, string, string | undefined]> = [
    ["nothing", {}, "http://a.test", undefined],
    ["http by HTTP_PROXY", { HTTP_PROXY: "http://p:1" }, "http://a.test", "http://p:1"],
    ["not https by it", { HTTP_PROXY: "http://p:1" }, "https://a.test", undefined],
    ["https by HTTPS_PROXY", { HTTPS_PROXY: "http://p:1" }, "https://a.test", "http://p:1"],
    ["both by ALL_PROXY", { ALL_PROXY: "socks5://p:1" }, "http://a.test", "socks5://p:1"],
    [
      "its own before ALL_PROXY",
      { ALL_PROXY: "http://p:1", HTTPS_PROXY: "http://q:2" },
      "https://a.test",
      "http://q:2"
    ],
    ["lower case first", { http_proxy: "http://p:1", HTTP_PROXY: "http://q:2" }, "http://a.test", "http://p:1"],
    [
      "an empty one is none",
      { http_proxy: "", HTTP_PROXY: " ", all_proxy: "http://q:2" },
      "http://a.test",
      "http://q:2"
    ],
    ["HTTP_PROXY is a header in CGI", { HTTP_PROXY: "http://p:1", REQUEST_METHOD: "GET" }, "http://a.test", undefined],
    ["http_proxy is none", { http_proxy: "http://p:1", REQUEST_METHOD: "GET" }, "http://a.test", "http://p:1"],
    ["HTTPS_PROXY is none", { HTTPS_PROXY: "http://p:1", REQUEST_METHOD: "GET" }, "https://a.test", "http://p:1"],
    ["no_proxy", { ALL_PROXY: "http://p:1", no_proxy: "a.test" }, "http://b.a.test", undefined],
    [
      "no_proxy before NO_PROXY",
      { ALL_PROXY: "http://p:1", no_proxy: "a.test", NO_PROXY: "*" },
      "http://b.test",
      "http://p:1"
    ],
    ...[
      "localhost",
      "a.localhost",
      "127.0.0.1",
      "127.8.9.1",
      "[::1]",
      "[::ffff:127.0.0.1]",
      "0.0.0.0",
      "2130706433",
      "0x7f.1"
    ]
      .map((host) => [`this machine (${host})`, { ALL_PROXY: "http://p:1" }, `http://${host}`, undefined] as const),
    ["what cannot be read", { HTTP_PROXY: "gopher://x", NO_PROXY: "10.*" }, "http://a.test", "HTTP_PROXY!"],
    ["a list that cannot be read", { HTTP_PROXY: "http://p:1", NO_PROXY: "10.*" }, "http://a.test", "NO_PROXY!"],
    ["a list that nobody needs", { NO_PROXY: "10.*" }, "http://a.test", undefined]
  ]
  for (const [name, environment, url, expected] of cases) {
    it(name, () => strictEqual(choose(environment, url), expected))
  }

  it("is one proxy for both where one variable says so", () => {
    const found = proxiesOf({ ALL_PROXY: "http://p:1" }, domainToASCII)
    ok(found !== undefined && "noProxy" in found)
    strictEqual(found.http, found.https)
  })
})
