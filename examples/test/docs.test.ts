import { assert, describe, it } from "@effect/vitest"
import * as Limits from "@sluice/core/Limits"
import * as Timeouts from "@sluice/core/Timeouts"
import { fromFailure, type TransportError } from "@sluice/core/TransportError"
import { Http2Options } from "@sluice/node"
import { Reply, TestServer } from "@sluice/test-server"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

// The documents are held to what they say: their programs are run, and their tables compared with the source.

const root = fileURLToPath(new URL("../..", import.meta.url))
const read = (file: string) => readFileSync(`${root}${file}`, "utf8")

const scratch = fileURLToPath(new URL(`.scratch/${process.pid}`, import.meta.url))

/** The server that the documents' programs ask, at the address that they have for it. */
const address = "http://127.0.0.1:8080"
const server = TestServer.layer({
  replies: {
    "/hello": Reply.text("hello"),
    "/old": Reply.empty({ status: 302, headers: { location: "/hello" } }),
    "/echo": Reply.tunnel({ status: 101 }),
    "/echo-body": Reply.echo(),
    "/slow": Reply.text("at last", { delayBeforeHead: "1 second" }),
    "/large": Reply.size(1024 * 1024)
  }
})

interface Program {
  readonly line: number
  readonly code: string
  /** What stands behind `// =>`, to the end of the block. */
  readonly result: string
}

/** The blocks with a program to run: they export it, and end with what it comes to. */
const programsOf = (markdown: string): ReadonlyArray<Program> =>
  [...markdown.matchAll(/^```ts\n([^]*?)^```$/gm)].flatMap(({ 1: code, index }) => {
    const result = /^\/\/ => ([^]*)\n$/m.exec(code)
    if (!code.includes("export const program =")) return []
    const line = markdown.slice(0, index).split("\n").length
    if (result === null) throw new Error(`the program at line ${line} does not say what it comes to`)
    return [{ line, code, result: result[1].replace(/^\/\/ ?/gm, "") }]
  })

const run = (name: string, { code }: Program) =>
  Effect.gen(function*() {
    const { url } = yield* TestServer.TestServer
    mkdirSync(scratch, { recursive: true })
    writeFileSync(`${scratch}/${name}.ts`, code.replaceAll(address, url))
    const { program } = yield* Effect.promise(() =>
      import(`${scratch}/${name}.ts`) as Promise<{ readonly program: Effect.Effect<unknown, unknown> }>
    )
    const value = yield* program
    const text = typeof value === "string" ? value : JSON.stringify(value)
    return text.replaceAll(url, address)
  }).pipe(
    Effect.provide(server),
    Effect.ensuring(Effect.sync(() => rmSync(scratch, { recursive: true, force: true })))
  )

/** How long something took in a run is nothing to compare. */
const withoutTimes = (text: string) => text.replace(/\b\d+(\.\d+)?(ms|s)\b/g, "(time)")

/** What stands behind `// =>` is what the programs of these come to. */
const withPrograms = [
  "index",
  "start",
  "pool",
  "coming-from",
  "client",
  "client/redirects",
  "client/retries",
  "client/codings",
  "recipes/base-url",
  "recipes/logging",
  "recipes/uploads",
  "recipes/shutdown",
  "recipes/serverless"
]

for (const document of withPrograms) {
  describe(`The programs of docs/${document}.md`, () => {
    const programs = programsOf(read(`docs/${document}.md`))

    it("are there", () => {
      assert.isAtLeast(programs.length, 1)
    })

    for (const program of programs) {
      it.live(`line ${program.line}`, () =>
        Effect.gen(function*() {
          const result = yield* run(`${document.replace("/", "-")}-${program.line}`, program)
          assert.strictEqual(withoutTimes(result), withoutTimes(program.result))
        }))
    }
  })
}

describe("The tests of docs/testing.md", () => {
  it("are those of test/patterns, word for word", () => {
    const shown = [...read("docs/testing.md").matchAll(/^```ts\n([^]*?)^```$/gm)].map(({ 1: code }) => code)
    const files = readdirSync(`${root}examples/test/patterns`).map((file) => read(`examples/test/patterns/${file}`))
    assert.sameMembers(shown, files)
  })
})

/** The compiler says when one is missing here. */
const errors: Record<TransportError["_tag"], true> = {
  BodyAbandoned: true,
  AddressNotAllowed: true,
  ConnectError: true,
  ConnectTimeout: true,
  HeadersTimeout: true,
  LocalProtocolError: true,
  PoolClosed: true,
  PoolQueueFull: true,
  PoolTimeout: true,
  ProxyError: true,
  ReadError: true,
  ReadTimeout: true,
  RemoteProtocolError: true,
  RequestBodyError: true,
  ResponseTooLarge: true,
  StreamReset: true,
  TlsError: true,
  TotalTimeout: true,
  UnsupportedProtocol: true,
  WriteError: true,
  WriteTimeout: true
}

describe("docs/troubleshooting.md", () => {
  /** By the anchor of each: a link to an error is its name in lower case. */
  const sections = new Map(
    read("docs/troubleshooting.md").split(/^## /m).slice(1).map((section) => {
      const [title, ...lines] = section.split("\n")
      return [title.toLowerCase(), lines.join("\n")]
    })
  )
  const failures = read("packages/engine/src/Failure.ts")

  for (const tag of Object.keys(errors)) {
    it(`has ${tag} under its name, with each of its reasons`, () => {
      const section = sections.get(tag.toLowerCase())
      assert.isDefined(section)
      const [, facts] = new RegExp(`export interface ${tag} [^]*?{\n([^]*?)\n}\n`).exec(failures) ?? []
      assert.isDefined(facts)
      const [, reasons = ""] = /readonly reason:((?:\s*\|?\s*"\w+")+)/.exec(facts) ?? []
      for (const [, reason] of reasons.matchAll(/"(\w+)"/g)) assert.include(section, `\`${reason}\``)
    })
  }

  it("quotes the message of each", () => {
    const origin = "http://127.0.0.1:8080"
    const counts = { open: 2, active: 2, idle: 0, dialing: 0, closing: 0, waiting: 0 }
    const longestHeld = [{ method: "GET", url: `${origin}/report`, age: 300, bodyUnread: true }]
    const limits = { maxConnections: 2, maxConnectionsPerOrigin: 2 }
    const pool = { ...counts, ...limits, origin: counts, longestHeld, heldByThisFiber: 1, heldByKin: 0 }
    const https = { origin: "https://api.example" }
    const facts: Record<TransportError["_tag"], object> = {
      AddressNotAllowed: { origin: "http://10.0.0.7:80", address: "10.0.0.7" },
      BodyAbandoned: { reason: "Unread" },
      ConnectError: {},
      ConnectTimeout: { origin: "http://10.255.255.1:80", timeout: 5_000 },
      HeadersTimeout: { timeout: 60_000 },
      LocalProtocolError: {},
      PoolClosed: {},
      PoolQueueFull: { maxPendingRequests: 800, pool },
      PoolTimeout: { position: 1, waited: 5_000, pool },
      ProxyError: { ...https, proxy: "http://proxy.corp.example:3128" },
      ReadError: { written: true },
      ReadTimeout: { phase: "headers", timeout: 30_000 },
      RemoteProtocolError: {},
      RequestBodyError: {},
      ResponseTooLarge: { maxResponseSize: 1_048_576 },
      StreamReset: { ...https, code: "INTERNAL_ERROR" },
      TlsError: https,
      TotalTimeout: { phase: "headers", timeout: 10_000 },
      UnsupportedProtocol: { protocol: "ftp:" },
      WriteError: {},
      WriteTimeout: { timeout: 30_000 }
    }
    for (const [_tag, given] of Object.entries(facts)) {
      // Up to what the system, the server or the caller has said.
      const { message } = fromFailure({ _tag, origin, detail: "…", ...given } as never)
      const [sentence] = message.split(/: |\n/)
      assert.include(sections.get(_tag.toLowerCase())?.replaceAll("**", ""), sentence, _tag)
    }
  })

  it("has each code of the system that a message explains", () => {
    const codes = [...read("packages/engine/src/node/systemErrors.ts").matchAll(/^ {2}(E[A-Z_]+): \{/gm)]
    assert.isAbove(codes.length, 20)
    const section = sections.get("connecterror")
    for (const [, code] of codes) assert.include(section, code)
  })
})

describe("docs/versions.md", () => {
  it("has the peers of the packages", () => {
    const { peerDependencies } = JSON.parse(read("packages/node/package.json"))
    const page = read("docs/versions.md")
    for (const [name, range] of Object.entries(peerDependencies)) {
      assert.include(page, `| \`${name}\` | \`${range}\` |`)
    }
  })
})

describe("The tables of docs/pool.md", () => {
  const pool = read("docs/pool.md")

  /** The cells of the row that begins with that name. */
  const row = (name: string): ReadonlyArray<string> => {
    const line = pool.split("\n").find((line) => line.startsWith(`| \`${name}\` |`))
    assert.isDefined(line, `${name} has no row`)
    return (line as string).split("|").map((cell) => cell.trim())
  }

  /** Defaults as the tables write them. */
  const written = (value: Duration.DurationInput | "Infinity" | boolean, isDuration: boolean): string =>
    !isDuration || value === Infinity || value === "Infinity"
      ? String(value)
      : `${Duration.toSeconds(value as Duration.DurationInput)} seconds`

  it("have every limit with its default", () => {
    for (const [name, value] of Object.entries(Limits.defaults)) {
      assert.strictEqual(row(name)[3], written(value, name === "keepAliveExpiry"), name)
    }
  })

  it("have every timeout with its default", () => {
    for (const [name, millis] of Object.entries(Timeouts.defaults)) {
      assert.strictEqual(row(name)[2], written(millis, true), name)
    }
  })

  it("have every option of HTTP/2 with its default", () => {
    for (const [name, value] of Object.entries(Http2Options.defaults)) {
      assert.strictEqual(
        row(name)[3],
        name === "initialWindowSize" ? "`maxBufferedBody`" : written(value, name.startsWith("ping")),
        name
      )
    }
  })

  it("have every error", () => {
    for (const name of Object.keys(errors)) assert.isNotEmpty(row(name)[3], name)
  })

  const namesIn = (file: string, pattern: RegExp) => [...read(file).matchAll(pattern)].map(({ 1: name }) => name)

  it("have every metric, and the text every attribute of a span", () => {
    const metrics = namesIn(
      "packages/engine/src/metrics/definitions.ts",
      /"((?:http|sluice)\.client\.[\w.]+)"/g
    )
    assert.isAbove(metrics.length, 10)
    const observability = read("docs/observability.md")
    for (const name of metrics) assert.include(observability, `\`${name}\``)
    const attributes = namesIn("packages/engine/src/client/spanAttributes.ts", /span\.attribute\("([\w.]+)"/g)
    assert.isAbove(attributes.length, 10)
    for (const name of attributes) assert.include(pool, `\`${name}\``)
  })
})
