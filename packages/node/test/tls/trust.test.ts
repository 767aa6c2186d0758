import { assert, describe, it } from "@effect/vitest"
import { HttpClientLayer } from "@sluice/node"
import { Reply, TestAuthority, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { execFile } from "node:child_process"
import { createHash, X509Certificate } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as tls from "node:tls"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { failure } from "../client/support.js"
import { makeClient } from "./support.js"

const replies = { "/": Reply.text("hello") }

const pinOf = (pem: string) =>
  createHash("sha256").update(new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" }))
    .digest("base64")

/** Asks for each URL, and says how that ended. */
const ofTheSystem = `
  import { HttpClientLayer, PooledHttpClient } from "@sluice/node"
  import * as Effect from "effect/Effect"
  const get = (url) => Effect.flatMap(PooledHttpClient.PooledHttpClient, (client) => client.get(url))
  const end = (url) => Effect.match(get(url), { onFailure: ({ reason }) => reason, onSuccess: ({ status }) => status })
  const ends = Effect.forEach(process.argv.slice(1), end)
  const found = await Effect.runPromise(Effect.provide(ends, HttpClientLayer.layer({ tls: { ca: "system" } })))
  process.stdout.write(found.join(" "))
`

const none = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "sluice-tls-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)

const pinned = Effect.gen(function*() {
  const authority = yield* TestAuthority.make()
  const certificate = yield* authority.issue()
  const server = yield* TestServer.make({ tls: { authority, certificate }, replies })
  return { server, ca: authority.certificate, own: pinOf(certificate.certificate), above: pinOf(authority.certificate) }
})

describe("tls.pins", () => {
  it.scoped("of the server or of its authority, with and without sha256/, among others, and for resumed sessions", () =>
    Effect.gen(function*() {
      const { above, ca, own, server } = yield* pinned
      for (const pins of [[own], [`sha256/${own}`], [none, own], [above]]) {
        const { client, pool } = yield* makeClient({ tls: { ca, pins } })
        for (let n = 0; n < 2; n++) {
          assert.strictEqual((yield* client.get(`${server.url}/`)).status, 200)
          yield* pool.evictIdle
        }
      }
    }))

  it.scoped("of nobody there is an error that names what was shown, each time", () =>
    Effect.gen(function*() {
      const { ca, own, server } = yield* pinned
      const { client } = yield* makeClient({ tls: { ca, pins: [none] } })
      for (let n = 0; n < 2; n++) {
        const error = yield* failure(client.get(`${server.url}/`))
        assert.deepInclude({ ...error }, { _tag: "TlsError", reason: "Pin", written: false })
        assert.include(error.message, own)
      }
      assert.strictEqual((yield* server.stats).requests, 0)
    }))

  it.scoped("come on top of the name and the chain", () =>
    Effect.gen(function*() {
      const authority = yield* TestAuthority.make()
      const certificate = yield* authority.issue({ names: ["other.test"] })
      const server = yield* TestServer.make({ tls: { authority, certificate }, replies })
      const pins = [pinOf(certificate.certificate)]
      const named = yield* makeClient({ tls: { ca: authority.certificate, pins } })
      assert.deepInclude({ ...(yield* failure(named.client.get(`${server.url}/`))) }, { reason: "HostName" })
      const unknown = yield* makeClient({ tls: { pins } })
      assert.deepInclude({ ...(yield* failure(unknown.client.get(`${server.url}/`))) }, { reason: "UnknownAuthority" })
    }))

  it.scoped("are only reported where that is wanted", () =>
    Effect.gen(function*() {
      const { above, ca, own, server } = yield* pinned
      const reports: Array<unknown> = []
      const pinReport = (mismatch: unknown) => {
        reports.push(mismatch)
        throw new Error("of no interest")
      }
      const { client } = yield* makeClient({ tls: { ca, pins: [none], pinReport } })
      assert.strictEqual((yield* client.get(`${server.url}/`)).status, 200)
      assert.deepStrictEqual(reports, [{ host: "127.0.0.1", shown: [`sha256/${own}`, `sha256/${above}`] }])
    }))
})

describe("tls.files", () => {
  it.scoped("are read again when they change, and what cannot be used changes nothing", () =>
    Effect.gen(function*() {
      const dir = yield* folder
      const [first, second] = [yield* TestAuthority.make("first"), yield* TestAuthority.make("second")]
      const issued = yield* Effect.forEach(["ann", "bob"], (commonName) => first.issue({ use: "client", commonName }))
      const file = (name: string) => `${dir}/${name}`
      const write = (name: string, text: string) => fs.writeFileSync(file(name), text)
      write("ca", first.certificate)
      write("cert", issued[0].certificate)
      write("key", issued[0].key)
      const server = yield* TestServer.make({ tls: { authority: first, clientCertificate: "required" }, replies })
      const other = yield* TestServer.make({ tls: { authority: second }, replies })
      const files = { ca: file("ca"), cert: file("cert"), key: file("key") }
      const { client, pool } = yield* makeClient({ tls: { files } })
      const get = Effect.zipLeft(client.get(`${server.url}/`), pool.evictIdle)
      yield* get
      // Written one after the other: for a moment they do not belong together.
      write("cert", issued[1].certificate)
      yield* get
      write("key", issued[1].key)
      yield* get
      write("ca", "")
      write("key", "-----BEGIN nothing")
      yield* get
      const names = (yield* server.connections).map(({ tls }) => tls?.clientName)
      assert.deepStrictEqual(names, ["ann", "ann", "bob", "bob"])
      assert.strictEqual((yield* failure(client.get(`${other.url}/`)))._tag, "TlsError")
      write("key", issued[1].key)
      // Half written: the one that is cut must not take the other's place.
      write("ca", second.certificate + first.certificate.slice(0, 300))
      yield* get
      write("ca", first.certificate + second.certificate)
      assert.strictEqual((yield* client.get(`${other.url}/`)).status, 200)
    }))
})

describe("tls of an origin", () => {
  it.scoped("is laid over that of the layer, whether by paths or not", () =>
    Effect.gen(function*() {
      const dir = yield* folder
      const [ours, theirs] = [yield* TestAuthority.make("ours"), yield* TestAuthority.make("theirs")]
      const ann = yield* theirs.issue({ use: "client", commonName: "ann" })
      const write = (name: string, text: string) => {
        fs.writeFileSync(`${dir}/${name}`, text)
        return `${dir}/${name}`
      }
      const own = write("ours.pem", ours.certificate)
      const files = { cert: write("ann.pem", ann.certificate), key: write("ann.key", ann.key) }
      const server = yield* TestServer.make({
        tls: { authority: theirs, clientCertificate: "required" },
        replies
      })
      const inline = { cert: ann.certificate, key: ann.key }
      const ca = theirs.certificate
      const laid: ReadonlyArray<readonly [HttpClientLayer.Options["tls"], HttpClientLayer.Options["tls"]]> = [
        // What is given itself counts, and not the file of the layer.
        [{ files: { ca: own } }, { ca, ...inline }],
        [{ files: { ca: own } }, { files: { ca: write("theirs.pem", ca), ...files } }],
        [{ ca: ours.certificate }, { files: { ca: `${dir}/theirs.pem` }, ...inline }],
        // What is not given is that of the layer.
        [{ files: { ca: `${dir}/theirs.pem` } }, { files }],
        [{ files }, { ca }],
        [{ ...inline, ca: ours.certificate }, { files: { ca: `${dir}/theirs.pem` } }]
      ]
      for (const [n, [tls, over]] of laid.entries()) {
        const { client } = yield* makeClient({ tls, origins: { "127.0.0.1": { tls: over } } })
        assert.strictEqual((yield* client.get(`${server.url}/`)).status, 200, String(n))
      }
      const names = (yield* server.connections).map(({ tls }) => tls?.clientName)
      assert.deepStrictEqual(names, laid.map(() => "ann"))
      const twice = { ca, files: { ca: own } }
      const { problems } = yield* Effect.flip(Layer.build(HttpClientLayer.layer({ tls: twice })))
      assert.deepStrictEqual(problems.map(({ option }) => option), ["tls.ca"])
    }))
})

describe("What TLS is given", () => {
  it.scoped("is looked at when the layer is built", () =>
    Effect.gen(function*() {
      const cut = `${yield* folder}/ca`
      const { certificate } = yield* TestAuthority.make()
      fs.writeFileSync(cut, certificate + certificate.slice(0, 300))
      const wrong: ReadonlyArray<readonly [HttpClientLayer.Options["tls"], string]> = [
        [{ pins: ["sha1/abc"] }, "tls.pins"],
        [{ files: { ca: "/does/not/exist" } }, "tls.files"],
        [{ files: { ca: cut } }, "certificate 2 of it"],
        [{ files: { cert: "/does/not/exist" } }, "tls.files.key"],
        [{ pins: [none], rejectUnauthorized: false }, "tls.rejectUnauthorized"]
      ]
      for (const [options, expected] of wrong) {
        const exit = yield* Effect.exit(Layer.build(HttpClientLayer.layer({ tls: options })))
        assert.isTrue(Exit.isFailure(exit), expected)
        assert.include(String(exit), expected)
      }
    }))

  it.scoped("may be what the system trusts, where Node knows that", () =>
    Effect.gen(function*() {
      const options = { tls: { ca: "system" }, origins: { "*": { tls: { ca: "system" } } } } as const
      const built = yield* Effect.either(Layer.build(HttpClientLayer.layer(options)))
      if (Either.isRight(built)) return assert.property(tls, "getCACertificates")
      assert.notProperty(tls, "getCACertificates")
      assert.deepStrictEqual(built.left.problems.map(({ option }) => option), ["tls.ca", "origins[\"*\"].tls.ca"])
    }))

  it.scopedLive.skipIf(!("getCACertificates" in tls))(
    "trusts the authorities of the system and no others",
    () =>
      Effect.gen(function*() {
        const dir = yield* folder
        const [system, other] = [yield* TestAuthority.make("system"), yield* TestAuthority.make("other")]
        const urls: Array<string> = []
        for (const authority of [system, other]) {
          urls.push(`${(yield* TestServer.make({ tls: { authority }, replies })).url}/`)
        }
        fs.writeFileSync(`${dir}/system.pem`, system.certificate)
        // OpenSSL reads where they are when a process begins.
        const { stdout } = yield* Effect.promise(() =>
          promisify(execFile)(process.execPath, ["--input-type=module", "-e", ofTheSystem, ...urls], {
            cwd: fileURLToPath(new URL("../..", import.meta.url)),
            env: { SSL_CERT_FILE: `${dir}/system.pem`, SSL_CERT_DIR: dir }
          })
        )
        assert.strictEqual(stdout, "200 UnknownAuthority")
      })
  )

  it.scoped("may write the keys of its connections to a file", () =>
    Effect.gen(function*() {
      const keyLog = `${yield* folder}/keys`
      const server = yield* TestServer.make({ tls: true, replies })
      const warnings: Array<string> = []
      const logger = Logger.replace(Logger.defaultLogger, Logger.make(({ message }) => warnings.push(String(message))))
      const { client } = yield* Effect.provide(
        makeClient({ origins: { [server.url]: { tls: { ca: server.ca, keyLog } } } }),
        logger
      )
      assert.deepStrictEqual(warnings.map((warning) => warning.includes(keyLog)), [true])
      yield* client.get(`${server.url}/`)
      assert.match(fs.readFileSync(keyLog, "utf8"), /^(CLIENT|SERVER)_\w+ [0-9a-f]+ [0-9a-f]+\n/m)
    }))
})
