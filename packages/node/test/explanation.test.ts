import { assert, describe, it } from "@effect/vitest"
import { Explanation, HttpClientLayer, Timeouts } from "@sluice/node"
import { Reply, TestAuthority, TestProxy, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { main } from "../src/internal/doctor/main.js"

const explain = (url: string, options: HttpClientLayer.Options = {}) =>
  Effect.provide(Explanation.explain(url), HttpClientLayer.layer({ proxy: "none", ...options }))

const addressesOf = ({ route }: Explanation.Explanation) => route?.connectsTo?.addresses

describe("Explanation", () => {
  it.effect("says where a request would go, and shows nothing secret of its URL", () =>
    Effect.gen(function*() {
      const explanation = yield* explain("https://ann:secret@api.test:8443/v1/users?token=abc", {
        resolve: { "api.test": ["192.0.2.1", "[2001:db8::1]:9"] },
        tls: { pins: ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="], minVersion: "TLSv1.3" }
      })
      assert.deepStrictEqual([explanation.url, explanation.origin], [
        "https://api.test:8443/v1/users",
        "https://api.test:8443"
      ])
      assert.deepInclude(explanation.route, { way: "direct", proxy: undefined, protocol: "unknown" })
      assert.deepStrictEqual(addressesOf(explanation)?.map(({ address }) => address), [
        "192.0.2.1:8443",
        "[2001:db8::1]:9"
      ])
      assert.deepInclude(explanation.route?.tls, { servername: "api.test", minVersion: "TLSv1.3", pins: 1 })
      const text = Explanation.describe(explanation)
      assert.notMatch(text + JSON.stringify(explanation), /secret|token|abc/)
      for (const said of ["direct", "192.0.2.1:8443", "HTTP/2 or HTTP/1.1", "1 pinned key", "100 connections in all"]) {
        assert.include(text, said)
      }
    }))

  it.effect("says which proxy, who has named it, and who looks the name up", () =>
    Effect.gen(function*() {
      const proxy = "http://ann:secret@127.0.0.1:3128"
      const secure = yield* explain("https://api.test/", { proxy })
      assert.deepInclude(secure.route, {
        way: "tunnel",
        proxy: "http://127.0.0.1:3128",
        proxyFrom: "option",
        behindProxy: undefined
      })
      assert.notInclude(JSON.stringify(secure), "secret")
      assert.include(Explanation.describe(secure), "the proxy looks the name up")
      assert.strictEqual((yield* explain("http://api.test/", { proxy })).route?.way, "forward")
      const socks = yield* explain("http://api.test/", {
        proxy: "socks5://127.0.0.1:1080",
        resolve: { "api.test": "192.0.2.1" }
      })
      assert.deepStrictEqual(socks.route?.behindProxy?.addresses.map(({ address }) => address), ["192.0.2.1:80"])
      const excepted = yield* explain("http://api.test/", {
        proxy: { url: proxy, noProxy: "api.test" },
        resolve: { "api.test": "192.0.2.1" }
      })
      assert.deepInclude(excepted.route, { way: "direct", proxy: undefined, proxyFrom: "option" })
    }))

  it.effect("says what a policy does not allow", () =>
    Effect.gen(function*() {
      const explanation = yield* explain("http://api.test/", {
        addressPolicy: "public-only",
        resolve: { "api.test": ["8.8.8.8", "10.0.0.1"] }
      })
      const [one, other] = addressesOf(explanation) ?? []
      assert.isUndefined(one.notAllowed)
      assert.include(other.notAllowed, "private use")
      assert.include(Explanation.describe(explanation), "10.0.0.1:80, not allowed")
    }))

  it.effect("says the timeouts of the region over those of the origin over those of the layer, and the limits", () =>
    Effect.gen(function*() {
      const explanation = yield* Timeouts.locally(
        explain("http://127.0.0.1:1/", {
          timeouts: { pool: "1 second", read: "1 minute", total: "1 hour" },
          origins: {
            "127.0.0.1": { timeouts: { pool: "2 seconds", read: "2 minutes" }, limits: { maxConnectionsPerOrigin: 3 } }
          }
        }),
        { pool: "3 seconds" }
      )
      assert.deepInclude(explanation.timeouts, { pool: 3000, read: 120_000, total: 3_600_000 })
      assert.deepInclude(explanation.limits, { maxConnections: 100, maxConnectionsPerOrigin: 3 })
    }))

  it.effect("says what cannot be looked up, and for how long it was tried", () =>
    Effect.gen(function*() {
      const failing = yield* explain("http://api.test/", { resolve: () => Effect.fail({ _tag: "NoInstance" }) })
      assert.include(failing.route?.connectsTo?.failure, "NoInstance")
      const fiber = yield* Effect.fork(explain("http://api.test/", { resolve: () => Effect.never }))
      yield* TestClock.adjust("5 seconds")
      assert.include((yield* Fiber.join(fiber)).route?.connectsTo?.failure, "no response within 5s")
    }))

  it.effect("fails with what the request would fail with", () =>
    Effect.gen(function*() {
      for (const url of ["api.test", "ftp://api.test/", "http://[::1%25eth0]/"]) {
        assert.match((yield* Effect.flip(explain(url)))._tag, /LocalProtocolError|UnsupportedProtocol/)
      }
      const proxy = () => {
        throw new Error("broken")
      }
      assert.strictEqual((yield* Effect.flip(explain("http://api.test/", { proxy })))._tag, "ProxyError")
    }))
})

describe("sluice-doctor", () => {
  const run = (args: ReadonlyArray<string>, options: HttpClientLayer.Options = {}) =>
    Effect.gen(function*() {
      const [lines, errors]: [Array<string>, Array<string>] = [[], []]
      const to = (texts: Array<string>) => (text: string) => Effect.sync(() => void texts.push(text))
      const layer = HttpClientLayer.layer({ proxy: "none", ...options })
      const isWell = yield* main(args, { line: to(lines), error: to(errors) }, layer)
      return { isWell, text: lines.join("\n"), errors }
    })

  it.scopedLive("sends nothing unless it is told to, and then shows how long each part took", () =>
    Effect.gen(function*() {
      const authority = yield* TestAuthority.make()
      const server = yield* TestServer.make({
        tls: { authority },
        replies: { "/": Reply.text("hello"), "/moved": Reply.empty({ status: 302, headers: { location: "/" } }) }
      })
      const tls = { ca: authority.certificate }
      assert.isTrue((yield* run([`${server.url}/`], { tls })).isWell)
      assert.strictEqual((yield* server.stats).connectionsOpened, 0)
      const { errors, isWell, text } = yield* run(["--send", `${server.url}/`, `${server.url}/moved`], { tls })
      assert.deepStrictEqual([isWell, errors], [true, []])
      for (
        const line of [
          /^ {2}200, 5 bytes$/m,
          /HTTP\/1\.1 from 127\.0\.0\.1, connection 1$/m,
          /^ {2}TLS +\| +=+ +[\d.]+ ms$/m
        ]
      ) {
        assert.match(text, line)
      }
      assert.match(text, /302, see \/, 0 bytes\n.*used again/)
      assert.strictEqual((yield* server.stats).connectionsOpened, 1)
    }))

  it.scopedLive("goes on after a URL that failed, each with one line of error", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("hello") } })
      const proxy = yield* TestProxy.make()
      const { errors, isWell, text } = yield* run(["--send", "http//wrong", "http://127.0.0.1:1/", `${server.url}/`], {
        origins: { [server.url]: { proxy: proxy.url } }
      })
      assert.isFalse(isWell)
      assert.deepStrictEqual(errors.map((error) => error.includes("\n")), [false, false])
      assert.include(text, "as requests to the proxy")
      assert.include(text, "200, 5 bytes")
    }))

  it.effect("knows its options", () =>
    Effect.gen(function*() {
      assert.include((yield* run(["--help"])).text, "--send")
      assert.deepStrictEqual((yield* run(["--fast", "http://a.test/"])).errors, [
        "--fast is not an option; see sluice-doctor --help"
      ])
      const { text } = yield* run(["--json", "http://127.0.0.1:1/"])
      assert.deepInclude(JSON.parse(text), { url: "http://127.0.0.1:1/", origin: "http://127.0.0.1:1" })
      const { errors, isWell } = yield* run(["http://a.test/"], { proxy: "gopher://ann:secret@p" })
      assert.deepStrictEqual([isWell, errors.length], [false, 1])
      assert.notInclude(errors[0], "secret")
    }))

  it.live("is a command, which hears the environment", () =>
    Effect.gen(function*() {
      const bin = fileURLToPath(new URL("../dist/bin.js", import.meta.url))
      const env = { HTTPS_PROXY: "http://127.0.0.1:9", HTTP_CLIENT_CONNECT_TIMEOUT: "7 seconds" }
      const { stderr, stdout } = yield* Effect.async<{ readonly stdout: string; readonly stderr: string }>((resume) => {
        execFile(process.execPath, [bin, "https://a.test/"], { env }, (_error, stdout, stderr) =>
          resume(Effect.succeed({ stdout, stderr })))
      })
      assert.strictEqual(stderr, "")
      assert.include(stdout, "through a tunnel of the proxy http://127.0.0.1:9, which the environment names")
      assert.include(stdout, "connect 7s")
    }), 30_000)
})
