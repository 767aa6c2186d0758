import { assert, describe, it } from "@effect/vitest"
import { Reply, TestAuthority, TestServer } from "@sluice/test-server"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as fs from "node:fs"
import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"
import * as path from "node:path"
import { main } from "../src/internal/command/main.js"
import { decode as decodePlan } from "../src/internal/command/planFile.js"
import { decode } from "../src/internal/command/scriptFile.js"
import { temporaryFolder } from "./support.js"

/** Runs the command until the test's scope ends; its first line has the URL. */
const run = (...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const first = yield* Deferred.make<string>()
    yield* Effect.forkScoped(
      main([...args, "--port", "0"], (line) => {
        lines.push(line)
        Deferred.unsafeDone(first, Effect.succeed(line))
      })
    )
    const banner = yield* Deferred.await(first)
    return { lines, banner, url: banner.slice(0, banner.indexOf(" ")) }
  })

const get = (url: string) =>
  Effect.promise(async () => {
    const response = await fetch(url)
    return { status: response.status, body: await response.text() }
  })

const failure = (...args: ReadonlyArray<string>) => Effect.flip(main(args, () => {}))

describe("the command", () => {
  it.scoped("prints its URL and a line for each request", () =>
    Effect.gen(function*() {
      const { banner, lines, url } = yield* run()
      assert.match(banner, /^http:\/\/127\.0\.0\.1:\d+ \(HTTP\/1\.1\)$/)
      assert.strictEqual((yield* get(`${url}/status/503`)).status, 503)
      assert.strictEqual((yield* get(`${url}/bytes/1234`)).body.length, 1234)
      assert.include((yield* get(`${url}/`)).body, "/status/503")
      assert.strictEqual((yield* get(`${url}/status/x`)).status, 404)
      assert.match(
        lines[2],
        /^GET \/bytes\/1234 HTTP\/1\.1 -> 200 \(0 B in, 1234 B out, [\d.]+ ms, connection \d+, request \d+\)$/
      )
    }))

  it.scoped("responds with files beside the script, and says which one it can't read", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const file = path.join(folder, "script.json")
      fs.writeFileSync(path.join(folder, "page.html"), "<p>hello")
      fs.writeFileSync(
        file,
        JSON.stringify({
          "/": { file: "page.html" },
          "/raw": { file: "page.html", headers: { "Content-Type": "a/b" } }
        })
      )
      const { url } = yield* run("--script", file)
      const response = yield* Effect.promise(() => fetch(`${url}/`))
      assert.strictEqual(yield* Effect.promise(() => response.text()), "<p>hello")
      assert.strictEqual(response.headers.get("content-type"), "text/html; charset=utf-8")
      const typed = yield* Effect.promise(() => fetch(`${url}/raw`))
      assert.strictEqual(typed.headers.get("content-type"), "a/b")
      fs.writeFileSync(file, JSON.stringify({ "/": { file: "none.html" } }))
      assert.match((yield* failure("--script", file)).message, /none\.html can't be read \(ENOENT\)$/)
    }))

  it.scoped("makes each response late, scripted or not", () =>
    Effect.gen(function*() {
      const { lines, url } = yield* run("--latency", "30", "--jitter", "5")
      assert.strictEqual((yield* get(`${url}/status/201`)).status, 201)
      // No shorter than it was told: how much longer is for the machine to say.
      assert.isAtLeast(Number(/, ([\d.]+) ms/.exec(lines[1])?.[1]), 29)
      assert.strictEqual(
        (yield* failure("--latency", "soon")).message,
        "--latency takes a number of milliseconds, not \"soon\""
      )
    }))

  it.scoped("plays a script", () =>
    Effect.gen(function*() {
      const file = path.join(yield* temporaryFolder, "script.json")
      fs.writeFileSync(
        file,
        JSON.stringify({
          "/hello": { text: "hello", status: 201 },
          "/turns": [{ status: 503 }, { json: { ok: true }, delayBeforeHead: 5 }],
          "*": { chunks: ["a", "b"], delayBetweenChunks: 1 }
        })
      )
      const { lines, url } = yield* run("--script", file, "--quiet")
      assert.deepStrictEqual(yield* get(`${url}/hello`), { status: 201, body: "hello" })
      assert.strictEqual((yield* get(`${url}/turns`)).status, 503)
      assert.deepStrictEqual(yield* get(`${url}/turns`), { status: 200, body: "{\"ok\":true}" })
      assert.strictEqual((yield* get(`${url}/else`)).body, "ab")
      assert.strictEqual(lines.length, 1)
    }))

  it.scoped("serves HTTPS and writes down whom to trust", () =>
    Effect.gen(function*() {
      const file = path.join(yield* temporaryFolder, "ca.pem")
      const { banner, url } = yield* run("--tls", "--http2", "--ca", file)
      assert.include(banner, `(HTTP/1.1 and HTTP/2; ${file} is what to trust)`)
      const status = yield* Effect.async<number | undefined>((resume) => {
        https.get(`${url}/status/204`, { ca: fs.readFileSync(file), agent: false }, (response) => {
          response.resume()
          resume(Effect.succeed(response.statusCode))
        })
      })
      assert.strictEqual(status, 204)
    }))

  it.scoped("says in one line what is wrong, and fails", () =>
    Effect.gen(function*() {
      const busy = yield* TestServer.make()
      const folder = yield* temporaryFolder
      const notJson = path.join(folder, "not.json")
      fs.writeFileSync(notJson, "{")
      for (
        const [args, exitCode, message] of [
          [["--port", String(busy.port)], 1, /^127\.0\.0\.1:\d+ is in use by another program$/],
          [["--host", "192.0.2.1"], 1, /^192\.0\.2\.1:8080 is no address of this machine$/],
          [["--port", "seven"], 2, /^--port takes a number from 0 to 65535, not "seven"$/],
          [["--port", ""], 2, /^--port takes a number from 0 to 65535, not ""$/],
          [["-p", "1e3"], 2, /^--port takes a number from 0 to 65535, not "1e3"$/],
          [["--tls", "--cert", notJson], 2, /^--cert and --key go together$/],
          [["--tls", "--cert", notJson, "--key", notJson], 2, /are not a certificate and its key: /],
          [["--key", "file"], 2, /^--key goes with --tls$/],
          [["--wat"], 2, /^Unknown option '--wat'; --help lists the options$/],
          [["extra"], 2, /^Unexpected argument 'extra'; --help lists the options$/],
          [["proxy", "--port", String(busy.port)], 1, /^127\.0\.0\.1:\d+ is in use by another program$/],
          [["proxy", "--user", "ann"], 2, /^--user takes name:password$/],
          [["proxy", "--fault", "rain"], 2, /^--fault takes one of refuse, .*, not "rain"$/],
          [["proxy", "--route", "a.test"], 2, /^--route takes name=host:port, not "a\.test"$/],
          [["proxy", "--route", "a.test=b"], 2, /^--route takes host:port, not "b"$/],
          [["proxy", "--ca", "file"], 2, /^--ca goes with --tls$/],
          [["fault-proxy"], 2, /^--to says which server is behind it, as host:port$/],
          [["fault-proxy", "--to", "localhost"], 2, /^--to takes host:port, not "localhost"$/],
          [["fault-proxy", "--to", "[::1]:0"], 2, /^--to takes host:port/],
          [["fault-proxy", "--to", "a:1", "--seed", "x"], 2, /^--seed takes a whole number, not "x"$/],
          [["fault-proxy", "--to", "a:1", "--seed", "1", "--drip", "1"], 2, /exclude each other$/],
          [["fault-proxy", "--to", "a:1", "--bandwidth", "0"], 2, /above 0$/],
          [["fault-proxy", "--to", "a:1", "--plan", notJson], 2, /not\.json is no JSON: /],
          [["--ca", "file"], 2, /^--ca goes with --tls$/],
          [["--script", path.join(folder, "none")], 2, /none can't be read \(ENOENT\)$/],
          [["--script", notJson], 2, /not\.json is no JSON: /],
          [["--host", ""], 2, /^--host takes an address, as 127\.0\.0\.1, or 0\.0\.0\.0 for all$/],
          [["proxy", "--host", " "], 2, /^--host takes an address/],
          [["fault-proxy", "--to", "a:1", "--host", ""], 2, /^--host takes an address/],
          [["proxy", "--fault", "toString"], 2, /^--fault takes one of refuse/],
          [["proxy", "--route", "a=b=1:2"], 2, /^--route takes host:port, not "b=1:2"$/],
          [["proxy", "--route", "a=x:1", "--route", "a=y:2"], 2, /^--route says two ways for a$/]
        ] as const
      ) {
        const error = yield* failure(...args)
        assert.match(error.message, message)
        assert.notInclude(error.message, "\n")
        assert.strictEqual(error.exitCode, exitCode)
      }
    }))

  it.scoped("serves a certificate of one's own, and a script with a byte order mark", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const authority = yield* TestAuthority.make()
      const identity = yield* authority.issue()
      const [cert, key, script] = ["cert.pem", "key.pem", "script.json"].map((name) => path.join(folder, name))
      fs.writeFileSync(cert, identity.certificate)
      fs.writeFileSync(key, identity.key)
      fs.writeFileSync(script, "\ufeff{ \"/\": { \"status\": 204 } }")
      const { url } = yield* run("--tls", "--cert", cert, "--key", key, "--script", script)
      const status = yield* Effect.async<number | undefined>((resume) => {
        https.get(url, { ca: authority.certificate, agent: false }, (response) => {
          response.resume()
          resume(Effect.succeed(response.statusCode))
        })
      })
      assert.strictEqual(status, 204)
    }))

  it.effect("prints its version and ends", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      yield* main(["--version"], (line) => lines.push(line))
      assert.match(lines.join("\n"), /^\d+\.\d+\.\d+/)
    }))

  it.effect("prints its help and ends", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      yield* main(["--help"], (line) => lines.push(line))
      assert.match(lines.join("\n"), /--port <number>/)
    }))

  it.effect("frees its port when it is interrupted", () =>
    Effect.gen(function*() {
      const port = yield* TestServer.unusedPort
      for (let round = 0; round < 2; round++) {
        const up = yield* Deferred.make<void>()
        const fiber = yield* Effect.fork(main(["--port", String(port)], () => Deferred.unsafeDone(up, Effect.void)))
        yield* Deferred.await(up)
        yield* Fiber.interrupt(fiber)
      }
    }))
})

describe("the command proxy", () => {
  const through = (proxy: string, target: string, headers: Record<string, string> = {}) =>
    Effect.async<{ readonly status: number | undefined; readonly body: string }>((resume) => {
      const { hostname: host, port } = new URL(proxy)
      http.get({ host, port, path: target, headers, agent: false }, (response) => {
        let body = ""
        response.on("data", (text) => body += String(text))
        response.on("end", () => resume(Effect.succeed({ status: response.statusCode, body })))
      })
    })

  it.scoped("leads where it is told, to who may, and prints a line for each request", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "*": Reply.text("from afar") } })
      const { banner, lines, url } = yield* run(
        "proxy",
        "--user",
        "ann:s3cret",
        "--route",
        `a.test=127.0.0.1:${server.port}`
      )
      assert.match(banner, /^http:\/\/127\.0\.0\.1:\d+ and socks5:\/\/127\.0\.0\.1:\d+ \(HTTP, CONNECT and SOCKS 5\)$/)
      assert.strictEqual((yield* through(url, "http://a.test/")).status, 407)
      const credentials = { "proxy-authorization": `Basic ${Buffer.from("ann:s3cret").toString("base64")}` }
      assert.deepStrictEqual(yield* through(url, "http://a.test/", credentials), { status: 200, body: "from afar" })
      assert.deepStrictEqual(lines.slice(1), [
        "forward a.test:80, not authorized (connection 0)",
        "forward a.test:80 as ann (connection 1)"
      ])
    }))

  it.scoped("refuses, where it is told to", () =>
    Effect.gen(function*() {
      const { url } = yield* run("proxy", "--fault", "refuse", "--quiet")
      assert.strictEqual((yield* through(url, "http://a.test/")).status, 403)
    }))
})

describe("the command fault-proxy", () => {
  it.scoped("carries, cuts, and says what happens to each connection", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.size(10_000) } })
      const { banner, lines } = yield* run("fault-proxy", "--to", `127.0.0.1:${server.port}`, "--end-after", "500")
      const address = banner.slice(0, banner.indexOf(" "))
      assert.include(banner, `(leads to 127.0.0.1:${server.port})`)
      const broken = yield* Effect.flip(
        Effect.tryPromise(() => fetch(`http://${address}/`).then((response) => response.arrayBuffer()))
      )
      assert.include(String(broken.error), "terminated")
      assert.strictEqual(
        lines[1],
        "connection 0: {\"up\":{},\"down\":{\"faults\":[{\"afterBytes\":500,\"action\":\"end\"}]}}"
      )
    }))

  it.scoped("plays a plan, one connection after the other, and chaos by its seed", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("whole", { connection: "close" }) } })
      const file = path.join(yield* temporaryFolder, "plan.json")
      fs.writeFileSync(file, JSON.stringify([{ instead: "reset" }, { down: { pieceSize: 1 } }]))
      const to = ["fault-proxy", "--to", `127.0.0.1:${server.port}`]
      const { banner, lines } = yield* run(...to, "--plan", file)
      const url = `http://${banner.slice(0, banner.indexOf(" "))}/`
      yield* Effect.flip(Effect.tryPromise(() => fetch(url)))
      for (let n = 0; n < 2; n++) assert.strictEqual((yield* get(url)).body, "whole")
      assert.deepStrictEqual(lines.slice(1), [
        "connection 0: {\"instead\":\"reset\"}",
        "connection 1: {\"down\":{\"pieceSize\":1}}",
        "connection 2: {\"down\":{\"pieceSize\":1}}"
      ])
      // The same seed has the same faults again.
      const seen = yield* Effect.forEach([1, 2], () =>
        Effect.gen(function*() {
          const { banner, lines } = yield* run(...to, "--seed", "7")
          const socket = net.connect(Number(/:(\d+) /.exec(banner)?.[1]), "127.0.0.1").on("error", () => {})
          yield* Effect.repeat(Effect.promise(() => new Promise(setImmediate)), { until: () => lines.length > 1 })
          socket.destroy()
          return lines[1]
        }))
      assert.strictEqual(seen[0], seen[1])
    }))

  it.each([
    [{ down: { faults: [{ action: "rain" }] } }, /^at "down" "faults" 0 "action": /],
    [[{ delay: -1 }], /^at 0 "delay": /],
    [{ sideways: {} }, /^at "sideways": /],
    [[], /./],
    ["slowly", /^Expected a plan, as \{ "delay": 100 \}, actual "slowly"$/]
  ])("says what is wrong with a plan: %j", (json, message) => {
    const decoded = decodePlan(json)
    assert.match(Either.isLeft(decoded) ? decoded.left : "it is right", message)
  })
})

describe("the playground", () => {
  it.scoped("has what people try clients with", () =>
    Effect.gen(function*() {
      const { url } = yield* run("--quiet")
      const asked = (target: string, init?: RequestInit) =>
        Effect.promise(async () => {
          const response = await fetch(`${url}${target}`, { redirect: "manual", ...init })
          return { status: response.status, headers: response.headers, text: await response.text() }
        })
      const json = (target: string, init?: RequestInit) =>
        Effect.map(asked(target, init), ({ text }) => JSON.parse(text) as Record<string, unknown>)
      assert.deepInclude(yield* json("/get?a=1&a=2&b=3"), { method: "GET", args: { a: ["1", "2"], b: "3" } })
      const body = JSON.stringify({ x: 1 })
      assert.deepInclude(yield* json("/post", { method: "POST", body }), { json: { x: 1 }, bodyLength: 7 })
      const form = new URLSearchParams({ a: "b" })
      assert.deepInclude(yield* json("/anything/else", { method: "PUT", body: form }), { form: { a: "b" } })
      assert.strictEqual((yield* asked("/post")).status, 404)
      for (const coding of ["gzip", "deflate", "brotli"]) {
        assert.strictEqual((yield* json(`/${coding}`))["method"], "GET")
      }
      const redirected = yield* asked("/redirect/2")
      assert.deepStrictEqual([redirected.status, redirected.headers.get("location")], [302, "/redirect/1"])
      const to = yield* asked("/redirect-to?url=/get&status=307")
      assert.deepStrictEqual([to.status, to.headers.get("location")], [307, "/get"])
      assert.deepStrictEqual((yield* asked("/cookies/set?a=b&c=d%20e")).headers.getSetCookie(), [
        "a=b; Path=/",
        "c=d%20e; Path=/"
      ])
      assert.deepStrictEqual(yield* json("/cookies", { headers: { cookie: "a=b; c=d" } }), {
        cookies: { a: "b", c: "d" }
      })
      const basic = { headers: { authorization: `Basic ${Buffer.from("ann:secret").toString("base64")}` } }
      assert.strictEqual((yield* asked("/basic-auth/ann/secret")).status, 401)
      assert.strictEqual((yield* asked("/basic-auth/ann/secret", basic)).status, 200)
      assert.strictEqual((yield* asked("/bearer", { headers: { authorization: "Bearer t" } })).status, 200)
      assert.strictEqual((yield* asked("/etag/abc", { headers: { "if-none-match": "\"abc\"" } })).status, 304)
      assert.strictEqual((yield* asked("/etag/abc", { headers: { "if-none-match": "\"a\" , W/\"abc\"" } })).status, 304)
      assert.strictEqual((yield* asked("/get", { method: "HEAD" })).status, 200)
      // What is asked for does not become other headers.
      for (const target of ["/redirect-to?url=%0d%0aset-cookie:a=b", "/response-headers?x=a%0d%0ab:c"]) {
        const { headers, status } = yield* asked(target)
        assert.deepStrictEqual([status, headers.get("set-cookie"), headers.get("b")], [400, null, null])
      }
      assert.strictEqual((yield* asked("/response-headers?a%20b=c")).status, 400)
      assert.deepStrictEqual((yield* asked("/cookies/set?a%3Bb=c")).headers.getSetCookie(), ["a%3Bb=c; Path=/"])
      const part = yield* asked("/range/100", { headers: { range: "bytes=10-19" } })
      assert.deepStrictEqual([part.status, part.headers.get("content-range"), part.text.length], [
        206,
        "bytes 10-19/100",
        10
      ])
      assert.strictEqual((yield* asked("/range/100", { headers: { range: "bytes=100-" } })).status, 416)
      assert.strictEqual((yield* asked("/response-headers?x-a=1")).headers.get("x-a"), "1")
      const flaky = yield* Effect.forEach([1, 2, 3, 4], () => asked("/flaky/2"))
      assert.deepStrictEqual(flaky.map(({ status }) => status), [503, 503, 200, 503])
      assert.strictEqual((yield* asked("/retry-after/3")).headers.get("retry-after"), "3")
      assert.strictEqual((yield* asked("/sse/1")).text, "id: 1\ndata: 1 of 1\n\n")
      assert.strictEqual((yield* asked("/base64/aGVsbG8=")).text, "hello")
      assert.include([200, 503], (yield* asked("/status/200,503")).status)
    }))
})

describe("a script file", () => {
  for (
    const [what, script, message] of [
      ["an unknown word", { "/a": { txt: "x" } }, /^at "\/a" "txt": is unexpected/],
      ["an unknown word in a list", { "/a": [{ text: "x" }, { txt: "x" }] }, /^at "\/a" 1 "txt": is unexpected/],
      ["two bodies", { "/a": { text: "x", size: 1 } }, /^at "\/a": text and size exclude each other$/],
      [
        "options beside never",
        { "/a": { never: true, status: 200 } },
        /^at "\/a": status without effect beside never$/
      ],
      ["options beside raw", { "/a": { raw: "x", headers: {} } }, /^at "\/a": headers without effect beside raw$/],
      ["no such status", { "/a": { status: 99 } }, /^at "\/a" "status": Expected a number between 200 and 999/],
      ["a negative size", { "/a": { size: -1 } }, /^at "\/a" "size": /],
      ["no object", [], /^Expected an object of routes and replies, actual \[\]$/],
      [
        "text that is no reply",
        { "/a": "hello" },
        /^at "\/a": Expected a reply, as \{ "text": "hello" \}, actual "hello"$/
      ],
      [
        "a line break in a header",
        { "/a": { headers: { x: "a\r\nb: c" } } },
        /^at "\/a" "headers" "x": Expected text of one/
      ],
      ["a header without a name", { "/a": { headers: { "x y": "a" } } }, /^at "\/a" "headers": "x y" is no name/],
      ["a reason of two lines", { "/a": { reason: "a\nb" } }, /^at "\/a" "reason": Expected text of one line/],
      ["101 as informational", { "/a": { informational: [{ status: 101 }] } }, /101 is no informational response/],
      ["a body beside 204", { "/a": { status: 204, text: "x" } }, /^at "\/a": text without effect beside status 204/],
      [
        "trailers beside a length",
        { "/a": { text: "x", trailers: { a: "b" }, framing: "length" } },
        /^at "\/a": trailers without effect beside framing length$/
      ],
      ["half a byte", { "/a": { text: "x", abrupt: { afterBytes: 0.5 } } }, /^at "\/a" "abrupt" "afterBytes": /],
      ["a code that is none", { "/a": { disconnect: 2 ** 40 } }, /^at "\/a" "disconnect": /],
      ["two routes that are one", { "/:a": {}, "/:b": {} }, /^the routes "\/:a" and "\/:b" mean the same requests$/]
    ] as const
  ) {
    it(`is refused for ${what}`, () => {
      const result = decode(script)
      assert.isTrue(Either.isLeft(result))
      if (Either.isLeft(result)) assert.match(result.left, message)
    })
  }
})
