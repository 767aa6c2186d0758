import { assert, describe, it } from "@effect/vitest"
import { TestAuthority, TestServer } from "@sluice/test-server"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as fs from "node:fs"
import * as https from "node:https"
import * as path from "node:path"
import { main } from "../src/internal/command/main.js"
import { decode } from "../src/internal/command/scriptFile.js"
import { temporaryFolder } from "./support.js"

/** Runs the command until the test's scope ends; its first line has the URL. */
const run = (...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const first = yield* Deferred.make<string>()
    yield* Effect.forkScoped(
      main(["--port", "0", ...args], (line) => {
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
          [["--ca", "file"], 2, /^--ca goes with --tls$/],
          [["--script", path.join(folder, "none")], 2, /none can't be read \(ENOENT\)$/],
          [["--script", notJson], 2, /not\.json is no JSON: /]
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
      const port = (yield* Effect.scoped(TestServer.make())).port
      for (let round = 0; round < 2; round++) {
        const up = yield* Deferred.make<void>()
        const fiber = yield* Effect.fork(main(["--port", String(port)], () => Deferred.unsafeDone(up, Effect.void)))
        yield* Deferred.await(up)
        yield* Fiber.interrupt(fiber)
      }
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
      ["no object", [], /Expected/]
    ] as const
  ) {
    it(`is refused for ${what}`, () => {
      const result = decode(script)
      assert.isTrue(Either.isLeft(result))
      if (Either.isLeft(result)) assert.match(result.left, message)
    })
  }
})
