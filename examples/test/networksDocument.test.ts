import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import { ConnectionPool, type HttpClientLayer, TransportError } from "@sluice/node"
import { Reply, TestAuthority, TestProxy, TestServer } from "@sluice/test-server"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { createHash, X509Certificate } from "node:crypto"
import * as dgram from "node:dgram"
import * as dns from "node:dns"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"

// The recipes of docs/networks.md are run as they stand there, but for addresses, paths and keys: those are of the test.

const root = fileURLToPath(new URL("../..", import.meta.url))
const markdown = readFileSync(`${root}docs/networks.md`, "utf8")
const scratch = fileURLToPath(new URL(`.scratch/networks-${process.pid}`, import.meta.url))

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdirSync(scratch, { recursive: true })),
  () => Effect.sync(() => rmSync(scratch, { recursive: true, force: true }))
)

/** The first program below a heading. */
const programBelow = (heading: string): string => {
  const [, code] = new RegExp(`^#+ ${heading}$[^]*?^\`\`\`ts\n([^]*?)^\`\`\`$`, "m").exec(markdown) ?? []
  if (code === undefined) throw new Error(`there is no program below "${heading}"`)
  return code
}

let loaded = 0

/** What a recipe exports, each of these texts replaced. Each has to be in it. */
const load = <A>(heading: string, replaced: Readonly<Record<string, string>>): Effect.Effect<A> =>
  Effect.promise(() => {
    let code = programBelow(heading)
    for (const [text, by] of Object.entries(replaced)) {
      if (!code.includes(text)) throw new Error(`"${heading}" does not say ${text}`)
      code = code.replaceAll(text, by)
    }
    const file = `${scratch}/${loaded++}.ts`
    writeFileSync(file, code)
    return import(file) as Promise<A>
  })

interface Recipe {
  readonly Client: ReturnType<typeof HttpClientLayer.layer>
}

const clientOf = (heading: string, replaced: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const { Client } = yield* load<Recipe>(heading, replaced)
    const context = yield* Layer.build(Client)
    const client = Context.get(context, HttpClient.HttpClient)
    const pool = Context.get(context, ConnectionPool.ConnectionPool)
    return { pool, get: (url: string) => Effect.flatMap(client.get(url), (response) => response.text) }
  })

const failure = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => Option.getOrThrow(TransportError.fromHttpClientError(error)))

const serve = (name: string, options: TestServer.Options = {}) =>
  TestServer.make({ ...options, replies: { "*": Reply.text(name) } })

const file = (name: string, text: string): string => {
  writeFileSync(`${scratch}/${name}`, text)
  return `${scratch}/${name}`
}

/** Takes the place of options that trust nobody else, as those of a recipe whose servers have public certificates. */
const trusting = (ca: string) => ({
  "HttpClientLayer.layer({": `HttpClientLayer.layer({ tls: { ca: ${JSON.stringify(ca)} },`
})

const pinOf = (pem: string) =>
  `sha256/${
    createHash("sha256").update(new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" })).digest(
      "base64"
    )
  }`

/** It remembers which Host it was asked for, and from where. */
const nodeServer = (at: string | number) =>
  Effect.acquireRelease(
    Effect.async<{ readonly server: http.Server; readonly asked: ReadonlyArray<string> }>((resume) => {
      const asked: Array<string> = []
      const server = http.createServer(({ headers, socket }, response) => {
        asked.push(`${headers.host} by ${socket.remoteAddress ?? "a socket"}`)
        response.end("hello")
      })
      server.listen(typeof at === "string" ? { path: at } : { port: at, host: "127.0.0.1" }, () =>
        resume(Effect.succeed({ server, asked })))
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

/** A name server that knows one address of IPv4 for every name. */
const nameServer = Effect.acquireRelease(
  Effect.async<{ readonly address: string; readonly port: number; moveTo: string; readonly close: () => void }>(
    (resume) => {
      const socket = dgram.createSocket("udp4")
      const found = { moveTo: "127.0.0.1" }
      socket.on("message", (question, { address, port }) => {
        const isA = question.readUInt16BE(question.indexOf(0, 12) + 1) === 1
        const end = question.indexOf(0, 12) + 5
        const head = Buffer.from(question.subarray(0, end))
        head.writeUInt16BE(0x8180, 2)
        head.writeUInt16BE(isA ? 1 : 0, 6)
        head.writeUInt32BE(0, 8)
        const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...found.moveTo.split(".").map(Number)])
        socket.send(isA ? Buffer.concat([head, record]) : head, port, address)
      })
      socket.bind(0, "127.0.0.1", () => {
        const { address, port } = socket.address() as AddressInfo
        resume(Effect.succeed(Object.assign(found, { address, port, close: () => socket.close() })))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

describe("The recipes of docs/networks.md", () => {
  it.scoped("a corporate proxy", () =>
    Effect.gen(function*() {
      yield* folder
      const authority = yield* TestAuthority.make()
      const certificate = yield* authority.issue({ names: ["api.test", "127.0.0.1"] })
      const secure = yield* serve("outside", { tls: { authority, certificate } })
      const inside = yield* serve("inside")
      const proxy = yield* TestProxy.make({
        tls: { authority, certificate },
        credentials: { user: "ann", password: "secret" },
        routes: { "api.test": secure }
      })
      const ca = file("ca.pem", authority.certificate)
      const { get } = yield* clientOf("A corporate proxy", {
        "/etc/ssl/certs/ca-certificates.crt": ca,
        "/etc/ssl/corp.pem": ca,
        "https://proxy.corp.example:3129": proxy.url,
        "process.env[\"PROXY_USER\"]": "\"ann\"",
        "process.env[\"PROXY_PASSWORD\"]": "\"secret\"",
        "10.0.0.0/8": "127.0.0.0/8"
      })
      assert.strictEqual(yield* get("https://api.test/"), "outside")
      assert.strictEqual(yield* get(`${inside.url}/`), "inside")
      assert.strictEqual((yield* proxy.requests).length, 1)
    }))

  it.scoped("SOCKS over ssh", () =>
    Effect.gen(function*() {
      yield* folder
      const server = yield* serve("inside")
      const proxy = yield* TestProxy.make({ routes: { "db.internal.example": server } })
      const { get } = yield* clientOf("SOCKS over ssh", {
        "socks5h://127.0.0.1:1080": proxy.socksUrl.replace("5:", "5h:")
      })
      assert.strictEqual(yield* get("http://db.internal.example/"), "inside")
      assert.deepInclude((yield* proxy.requests)[0], {
        kind: "socks5",
        host: "db.internal.example",
        addressType: "name"
      })
      assert.strictEqual(yield* get(`${server.url}/`), "inside")
      assert.strictEqual((yield* proxy.requests).length, 1)
    }))

  it.scoped("kubectl port-forward", () =>
    Effect.gen(function*() {
      yield* folder
      const authority = yield* TestAuthority.make()
      const certificate = yield* authority.issue({ names: ["api.prod.svc"] })
      const server = yield* serve("service", { tls: { authority, certificate } })
      const { get } = yield* clientOf("kubectl port-forward, with another Host", {
        ...trusting(authority.certificate),
        "127.0.0.1:8443": `127.0.0.1:${server.port}`
      })
      assert.strictEqual(yield* get("https://api.prod.svc/"), "service")
      const [request] = yield* server.requests
      assert.strictEqual(request.header("host") ?? request.header(":authority"), "api.prod.svc")
    }))

  it.scoped("blue and green", () =>
    Effect.gen(function*() {
      yield* folder
      const names = yield* nameServer
      const blue = yield* serve("blue")
      const green = yield* serve("green", { host: "127.0.0.2", port: blue.port })
      const before = dns.getServers()
      yield* Effect.addFinalizer(() => Effect.sync(() => dns.setServers(before)))
      dns.setServers([`${names.address}:${names.port}`])
      const { get } = yield* clientOf("Blue and green", {})
      const url = `http://api.example:${blue.port}/`
      assert.strictEqual(yield* get(url), "blue")
      names.moveTo = green.host
      // A connection that is kept does not move; one that is as old as it may be does.
      assert.strictEqual(yield* get(url), "blue")
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(yield* get(url), "green")
    }))

  it.scoped("split DNS", () =>
    Effect.gen(function*() {
      yield* folder
      const names = yield* nameServer
      const server = yield* serve("inside")
      const { get } = yield* clientOf("Split DNS", { "10.0.0.53": `${names.address}:${names.port}` })
      assert.strictEqual(yield* get(`http://wiki.corp.example:${server.port}/`), "inside")
      assert.strictEqual((yield* failure(get("http://wiki.other.invalid/")))._tag, "ConnectError")
    }))

  it.scoped("URLs that come from somebody else", () =>
    Effect.gen(function*() {
      yield* folder
      const server = yield* serve("inside")
      const { send } = yield* load<{ readonly send: (url: string) => Effect.Effect<string> }>(
        "URLs that come from somebody else",
        {}
      )
      for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0.0.0.0"]) {
        assert.strictEqual(yield* send(`http://${host}:${server.port}/`), "not allowed", host)
      }
      assert.strictEqual((yield* server.stats).connectionsOpened, 0)
    }))

  it.scoped("a client certificate for one server", () =>
    Effect.gen(function*() {
      yield* folder
      const authority = yield* TestAuthority.make()
      const tls = { authority, clientCertificate: "optional" } as const
      const [payments, other] = [yield* serve("paid", { tls }), yield* serve("other", { tls })]
      const ann = yield* authority.issue({ use: "client", commonName: "ann" })
      const { get } = yield* clientOf("Trust", {
        ...trusting(authority.certificate),
        "https://payments.example": payments.url,
        "/etc/tls/client.pem": file("client.pem", ann.certificate),
        "/etc/tls/client.key": file("client.key", ann.key)
      })
      for (const server of [payments, other]) yield* get(`${server.url}/`)
      const nameOf = (server: TestServer.TestServer) => Effect.map(server.connections, ([{ tls }]) => tls?.clientName)
      assert.deepStrictEqual([yield* nameOf(payments), yield* nameOf(other)], ["ann", undefined])
    }))

  it.scoped("mTLS with rotation", () =>
    Effect.gen(function*() {
      yield* folder
      const authority = yield* TestAuthority.make()
      const certificate = yield* authority.issue({ names: ["a.mesh.internal"] })
      const server = yield* serve("mesh", { tls: { authority, certificate, clientCertificate: "required" } })
      const issue = (commonName: string) => authority.issue({ use: "client", commonName })
      const [ann, bob] = [yield* issue("ann"), yield* issue("bob")]
      const { get } = yield* clientOf("mTLS with rotation", {
        "HttpClientLayer.layer({":
          `HttpClientLayer.layer({ resolve: { "a.mesh.internal": "127.0.0.1:${server.port}" },`,
        "/run/tls/ca.crt": file("ca.crt", authority.certificate),
        "/run/tls/tls.crt": file("tls.crt", ann.certificate),
        "/run/tls/tls.key": file("tls.key", ann.key)
      })
      yield* get("https://a.mesh.internal/")
      file("tls.crt", bob.certificate)
      file("tls.key", bob.key)
      yield* get("https://a.mesh.internal/")
      yield* TestClock.adjust("10 minutes")
      yield* get("https://a.mesh.internal/")
      assert.deepStrictEqual((yield* server.connections).map(({ tls }) => tls?.clientName), ["ann", "bob"])
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [2, 1])
    }))

  it.scoped("pinning", () =>
    Effect.gen(function*() {
      yield* folder
      const authority = yield* TestAuthority.make()
      const certificate = yield* authority.issue({ names: ["payments.example"] })
      const other = yield* authority.issue({ names: ["payments.example"] })
      const pins = { "sha256/mXqE0cWSGlAYbVDDvDZ5tQUQeTpYhQmXQ0a2aS9cHn4=": pinOf(certificate.certificate) }
      for (const isPinned of [true, false]) {
        const reports: Array<string> = []
        ;(globalThis as { report?: (text: string) => void }).report = (text) => reports.push(text)
        const server = yield* serve("paid", { tls: { authority, certificate: isPinned ? certificate : other } })
        const { get } = yield* clientOf("Pinning", {
          ...pins,
          "HttpClientLayer.layer({": `HttpClientLayer.layer({
            resolve: { "payments.example": "127.0.0.1:${server.port}" },`,
          "tls: {": `tls: { ca: ${JSON.stringify(authority.certificate)},`,
          "console.warn": "globalThis.report"
        })
        assert.strictEqual(yield* get("https://payments.example/"), "paid")
        assert.strictEqual(reports.length, isPinned ? 0 : 1)
        if (!isPinned) assert.include(reports[0], pinOf(other.certificate))
      }
    }))

  it.scoped("options by origin", () =>
    Effect.gen(function*() {
      yield* folder
      const docker = yield* nodeServer(`${scratch}/docker.sock`)
      const local = yield* nodeServer(0)
      const reports = yield* serve("reports")
      const { get, pool } = yield* clientOf("Options by origin", {
        "HttpClientLayer.layer({": `HttpClientLayer.layer({
          resolve: { "a.internal.example": "127.0.0.1", "reports.example": "127.0.0.1:${reports.port}" },`,
        "/var/run/docker.sock": `${scratch}/docker.sock`,
        "10.1.0.7": "127.0.0.7",
        "https://reports.example": "http://reports.example"
      })
      assert.strictEqual(yield* get("http://docker/"), "hello")
      assert.deepStrictEqual(docker.asked, ["docker by a socket"])
      const port = (local.server.address() as AddressInfo).port
      assert.strictEqual(yield* get(`http://a.internal.example:${port}/`), "hello")
      assert.deepStrictEqual(local.asked, [`a.internal.example:${port} by 127.0.0.7`])
      yield* Effect.all(Array.from({ length: 15 }, () => get("http://reports.example/")), { concurrency: "unbounded" })
      const counts = [...pool.unsafeStats().origins].find(([key]) => key.startsWith("http://reports.example"))
      assert.strictEqual(counts?.[1].open, 10)
    }))
})
