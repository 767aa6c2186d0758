import { assert, describe, it } from "@effect/vitest"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import * as net from "node:net"
import { fileURLToPath } from "node:url"
import { beforeAll } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))

interface Ended {
  readonly code: number | string | null | undefined
  readonly stdout: string
  readonly stderr: string
}

const node = (args: ReadonlyArray<string>) =>
  Effect.async<Ended>((resume) => {
    const child = execFile(process.execPath, [...args], { cwd: root, timeout: 60_000 }, (error, stdout, stderr) => {
      resume(Effect.succeed({ code: error === null ? 0 : error.code, stdout, stderr }))
    })
    return Effect.sync(() => child.kill())
  })

const demo = (...args: ReadonlyArray<string>) => node(["examples/dist/demo.js", ...args])

const freePort = Effect.async<number>((resume) => {
  const server = net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as net.AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

// The demo as people run it, built from what is here now.
beforeAll(
  () => Effect.runPromise(node(["node_modules/typescript/bin/tsc", "-b", "examples/tsconfig.src.json"])),
  120_000
)

describe("the demo with URLs", () => {
  it.live("requests them over one connection, and reports what it saw", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: { "/": Reply.text("hello"), "/moved": Reply.empty({ status: 302, headers: { location: "/" } }) }
      })
      const { code, stderr, stdout } = yield* demo(`${server.url}/`, `${server.url}/moved`)
      assert.strictEqual(stderr, "")
      assert.strictEqual(code, 0)
      const lines = stdout.split("\n")
      assert.deepStrictEqual([lines[0], lines[1]], [`${server.url}/`, "  200, 5 bytes"])
      assert.match(lines[2]!, /^ {2}HTTP\/1\.1 from 127\.0\.0\.1, connection 1, made in /)
      assert.match(lines[3]!, /^ {2}first byte after .*, all of it after /)
      assert.strictEqual(lines[4], "  pool: 0 active, 1 idle, 0 waiting; 99 of 100 permits free")
      assert.strictEqual(lines[6], "  302, see /, 0 bytes")
      assert.strictEqual(lines[7], "  HTTP/1.1 from 127.0.0.1, connection 1, used again")
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [2])
    }).pipe(Effect.scoped), 30_000)

  it.live("goes on after one that failed, and says so with its exit code", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("hello") } })
      const { code, stderr, stdout } = yield* demo("http//wrong", `${server.url}/`)
      assert.strictEqual(code, 1)
      assert.strictEqual(stderr.split("\n").length, 2)
      assert.include(stdout, "200, 5 bytes")
    }).pipe(Effect.scoped), 30_000)
})

describe("the demo's complaints are one line each, without a stack trace", () => {
  const complains = (name: string, args: Effect.Effect<ReadonlyArray<string>>, expected: RegExp) =>
    it.live(name, () =>
      Effect.gen(function*() {
        const { code, stderr, stdout } = yield* demo(...(yield* args))
        assert.strictEqual(stdout, "")
        assert.match(stderr, expected)
        assert.strictEqual(stderr.split("\n").length, 2)
        assert.strictEqual(code, 1)
      }), 30_000)

  complains("a URL without its scheme", Effect.succeed(["example.com"]), /its URL is not valid; write all of it/)
  complains("a host that looks like a scheme", Effect.succeed(["localhost:8080"]), /Write it with http: or https:/)
  complains("a scheme of others", Effect.succeed(["ftp://127.0.0.1/"]), /begins with ftp:/)
  complains(
    "a port where nothing listens",
    Effect.map(freePort, (port) => [`http://127.0.0.1:${port}/`]),
    /Could not connect to http:\/\/127\.0\.0\.1:\d+: nothing listens there/
  )
  // `.invalid` never exists (RFC 6761); without a network the name cannot even be looked up.
  complains(
    "an unknown host",
    Effect.succeed(["http://sluice.invalid/"]),
    /no host of that name|could not be looked up/
  )
  complains("an unknown option", Effect.succeed(["--fast"]), /--fast is not an option of the demo/)

  it.live("and --help is help", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* demo("--help")
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.include(stdout, "npm run demo -- URL")
    }), 30_000)
})
