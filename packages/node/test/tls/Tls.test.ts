import * as HttpBody from "@effect/platform/HttpBody"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Origin from "@sluice/core/Origin"
import * as Timeouts from "@sluice/core/Timeouts"
import { Reply, TestAuthority, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { X509Certificate } from "node:crypto"
import * as net from "node:net"
import type { TlsOptions } from "../../src/index.js"
import { makeClient, until } from "./support.js"

const replies = { "/": Reply.text("hello"), "/big": Reply.size(3_000_000), "/echo": Reply.echo() }

const serve = (tls: TestServer.TlsOptions = {}, options: TestServer.Options = {}) =>
  TestServer.make({ ...options, tls, replies })

/** Accepts connections and says these words to them, or nothing. */
const plain = (words = "") =>
  Effect.gen(function*() {
    const sockets = new Set<net.Socket>()
    const server = net.createServer((socket) => {
      sockets.add(socket)
      socket.on("data", () => {})
      socket.on("error", () => {})
      socket.on("close", () => sockets.delete(socket))
      if (words !== "") socket.write(words)
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
    yield* Effect.async<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void)))
    const { port } = server.address() as net.AddressInfo
    return { url: `https://127.0.0.1:${port}/`, open: () => sockets.size }
  })

describe("HTTP/1.1 over TLS", () => {
  it.scoped("sends and receives, and goes on using the connection", () =>
    Effect.gen(function*() {
      const server = yield* serve()
      const { client, pool } = yield* makeClient({ tls: { ca: server.ca } })
      assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "hello")
      const body = new Uint8Array(yield* (yield* client.get(`${server.url}/big`)).arrayBuffer)
      assert.strictEqual(body.length, 3_000_000)
      assert.isTrue(body.every((byte, n) => byte === n % 251))
      const stats = yield* server.stats
      assert.deepStrictEqual(stats.requestsPerConnection, [2])
      assert.strictEqual(pool.unsafeStats().open, 1)
    }))

  for (const scheme of ["https", "http"]) {
    it.scoped(`does not wait to be acknowledged before it sends more, over ${scheme}`, () =>
      Effect.gen(function*() {
        const noDelay = vi.spyOn(net.Socket.prototype, "setNoDelay")
        const keepAlive = vi.spyOn(net.Socket.prototype, "setKeepAlive")
        yield* Effect.addFinalizer(() => Effect.sync(() => vi.restoreAllMocks()))
        const server = yield* scheme === "https" ? serve() : TestServer.make({ replies })
        const { client } = yield* makeClient({ tls: scheme === "https" ? { ca: server.ca } : undefined, http2: false })
        yield* client.get(`${server.url}/`)
        const port = Number(new URL(server.url).port)
        const ours = (
          spy: { mock: { contexts: ReadonlyArray<unknown>; calls: ReadonlyArray<ReadonlyArray<unknown>> } }
        ) => spy.mock.calls.filter((_, n) => (spy.mock.contexts[n] as net.Socket).remotePort === port)
        assert.deepStrictEqual(ours(noDelay), [[true]])
        assert.deepStrictEqual(ours(keepAlive), [[true, 60_000]])
      }))
  }

  it.scoped("sends bodies of every size, and goes on using the connection", () =>
    Effect.gen(function*() {
      const server = yield* serve()
      const { client } = yield* makeClient({ tls: { ca: server.ca }, http2: false })
      // Around what goes out with the head, what goes out in one part, and what in several.
      for (const size of [0, 1, 16_384, 16_385, 40_000, 65_536, 65_537, 3_000_000]) {
        const sent = new Uint8Array(size).fill(size % 251)
        const response = yield* client.post(`${server.url}/echo`, { body: HttpBody.uint8Array(sent) })
        assert.deepStrictEqual(Buffer.from(yield* response.arrayBuffer), Buffer.from(sent))
      }
      assert.deepStrictEqual((yield* server.stats).requestsPerConnection, [8])
    }))

  it.scoped("resumes the session of an earlier connection", () =>
    Effect.gen(function*() {
      for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
        const server = yield* serve()
        const { client, pool } = yield* makeClient({ tls: { ca: server.ca, maxVersion } })
        for (let n = 0; n < 3; n++) {
          assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "hello")
          yield* pool.evictIdle
          yield* server.awaitStats((stats) => stats.openConnections === 0)
        }
        const stats = yield* server.stats
        assert.strictEqual(stats.tlsHandshakes, 3)
        assert.strictEqual(stats.tlsResumed, 2)
      }
    }))

  describe("a session that the server chokes on", () => {
    const faults = { reset: "reset", end: "end", "clear text": "clear-text", "an alert": { alert: 80 } } as const
    for (const [name, resumption] of Object.entries(faults)) {
      it.scoped(`is forgotten, and the dial is made once more without it (${name})`, () =>
        Effect.gen(function*() {
          for (const http2 of [false, true]) {
            for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
              const server = yield* serve({ resumption })
              const { client, pool } = yield* makeClient({ tls: { ca: server.ca, maxVersion }, http2 })
              // Each has a session of the one before to offer.
              for (let n = 0; n < 3; n++) {
                assert.strictEqual(yield* (yield* client.post(`${server.url}/`)).text, "hello")
                yield* pool.evictIdle
                yield* server.awaitStats((stats) => stats.openConnections === 0)
              }
              assert.strictEqual((yield* server.stats).tlsResumed, 0)
              assert.strictEqual(pool.unsafeStats().open, 0)
            }
          }
        }))
    }

    it.scoped("is forgotten when the server is silent for half of connect, and who waits has the other half", () =>
      Effect.gen(function*() {
        const server = yield* serve({ resumption: "silence" })
        const { client, pool } = yield* makeClient({ tls: { ca: server.ca }, timeouts: { connect: "4 seconds" } })
        yield* client.get(`${server.url}/`)
        yield* pool.evictIdle
        yield* server.awaitStats((stats) => stats.openConnections === 0)
        const waiting = yield* Effect.fork(client.get(`${server.url}/`))
        yield* server.awaitStats((stats) => stats.tlsFaults === 1)
        yield* TestClock.adjust("1999 millis")
        assert.strictEqual((yield* server.stats).connectionsOpened, 2)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* (yield* Fiber.join(waiting)).text, "hello")
        assert.strictEqual((yield* server.stats).connectionsOpened, 3)
        assert.strictEqual(pool.unsafeStats().open, 1)
      }))

    it.scoped("is forgotten when the dial was ended before that, for another origin needed its permit", () =>
      Effect.gen(function*() {
        const server = yield* serve({ resumption: "silence" })
        const other = yield* TestServer.make({ replies })
        const { client, pool } = yield* makeClient({ tls: { ca: server.ca }, limits: { maxConnections: 1 } })
        yield* client.get(`${server.url}/`)
        yield* pool.evictIdle
        yield* server.awaitStats((stats) => stats.openConnections === 0)
        const impatient = yield* client.get(`${server.url}/`).pipe(
          Timeouts.locally({ connect: "1 seconds" }),
          Effect.flip,
          Effect.fork
        )
        yield* server.awaitStats((stats) => stats.tlsFaults === 1)
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual((yield* Fiber.join(impatient))._tag, "ConnectTimeout")
        assert.strictEqual((yield* client.get(`${other.url}/`)).status, 200)
        assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "hello")
      }))
  })

  it.scoped("asks for the host by name, and for no name where the host is an address", () =>
    Effect.gen(function*() {
      const server = yield* serve()
      const { client } = yield* makeClient({ tls: { ca: server.ca } })
      // Reached at an address, verified as that address, and as a name that resolves to several addresses.
      assert.strictEqual((yield* client.get(`https://127.0.0.1:${server.port}/`)).status, 200)
      assert.strictEqual((yield* client.get(`https://localhost:${server.port}/`)).status, 200)
    }))

  it.scoped("verifies the name that was given instead of the host", () =>
    Effect.gen(function*() {
      const authority = yield* TestAuthority.make()
      const certificate = yield* authority.issue({ names: ["inner.example"] })
      const server = yield* serve({ authority, certificate })
      const named = yield* makeClient({ tls: { ca: server.ca, servername: "inner.example" } })
      assert.strictEqual((yield* named.client.get(`${server.url}/`)).status, 200)
    }))

  it.scoped("shows a certificate to a server that asks for one", () =>
    Effect.gen(function*() {
      const authority = yield* TestAuthority.make()
      const server = yield* serve({ authority, clientCertificate: "required" })
      const { certificate, key } = yield* authority.issue({ use: "client" })
      const { client } = yield* makeClient({ tls: { ca: server.ca, cert: certificate, key } })
      assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "hello")
    }))

  it.scoped("connects whoever responds, where verification is off", () =>
    Effect.gen(function*() {
      const server = yield* serve({ certificate: "self-signed" })
      const { client } = yield* makeClient({ tls: { rejectUnauthorized: false } })
      assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "hello")
    }))

  it.scoped("never lends a connection made under one name for another", () =>
    Effect.gen(function*() {
      const server = yield* serve()
      const { pool } = yield* makeClient({ tls: { ca: server.ca } })
      const origin = Either.getOrThrow(Origin.make(server.url))
      yield* Effect.scoped(pool.acquire(Origin.withRoute(origin, "one")))
      const other = yield* Effect.scoped(pool.acquire(Origin.withRoute(origin, "other")))
      assert.isFalse(other.reused)
      assert.strictEqual(pool.unsafeStats().open, 2)
    }))

  it.scoped("notices that the server ends an idle connection", () =>
    Effect.gen(function*() {
      const server = yield* serve()
      const { client, pool } = yield* makeClient({ tls: { ca: server.ca } })
      yield* (yield* client.get(`${server.url}/`)).text
      yield* server.closeIdleConnections
      yield* until(() => pool.unsafeStats().open === 0)
    }))

  it.scoped("reaches any host at a Unix socket", () =>
    Effect.gen(function*() {
      const unixPath = `/tmp/sluice-tls-${process.pid}.sock`
      const server = yield* serve({}, { unixPath })
      const { client } = yield* makeClient({ socketPath: unixPath, tls: { ca: server.ca } })
      assert.strictEqual(yield* (yield* client.get("https://localhost/")).text, "hello")
    }))
})

describe("TLS that fails", () => {
  for (
    const [what, tls, reason, advice] of [
      ["an expired certificate", { certificate: "expired" }, "Expired", "clock"],
      ["another host's certificate", { certificate: "wrong-host" }, "HostName", "tls.servername"],
      ["a self-signed certificate", { certificate: "self-signed" }, "UnknownAuthority", "tls.ca"],
      ["an unknown authority", { certificate: "unknown-authority" }, "UnknownAuthority", "tls.ca"],
      ["a missing client certificate", { clientCertificate: "required" }, "ClientCertificate", "tls.cert"],
      ["the same under TLS 1.2", { clientCertificate: "required", maxVersion: "TLSv1.2" }, undefined, "tls.cert"]
    ] as const
  ) {
    it.scoped(`says what to check: ${what}`, () =>
      Effect.gen(function*() {
        const server = yield* serve(tls)
        const { client, pool } = yield* makeClient({ tls: { ca: server.ca } })
        const error = yield* Effect.flip(client.get(`${server.url}/`))
        assert.strictEqual(error._tag, "TlsError")
        if (error._tag === "TlsError" && reason !== undefined) assert.strictEqual(error.reason, reason)
        assert.include(error.message, advice)
        assert.isFalse(error.written)
        yield* until(() => pool.unsafeStats().open === 0)
        yield* server.awaitStats((stats) => stats.openConnections === 0)
      }))
  }

  it.scoped("says that a certificate is not for servers (nodejs/node#27825)", () =>
    Effect.gen(function*() {
      const authority = yield* TestAuthority.make()
      const certificate = yield* authority.issue({ use: "client", names: ["localhost", "127.0.0.1"] })
      const server = yield* serve({ authority, certificate })
      const { client } = yield* makeClient({ tls: { ca: server.ca } })
      const error = yield* Effect.flip(client.get(`${server.url}/`))
      assert.deepInclude(error, { _tag: "TlsError", reason: "InvalidCertificate", written: false })
      assert.include(error.message, "for servers")
      if (error._tag === "TlsError") assert.include(error.certificate?.issuer, "Test authority")
    }))

  // As Node reports what OpenSSL finds; many of its findings have no name of their own there.
  it.scoped("says what is wrong with a certificate where Node's code is one of the less usual", () =>
    Effect.gen(function*() {
      const server = yield* serve()
      for (
        const [code, message, reason, advice] of [
          ["UNSPECIFIED", "permitted subtree violation", "InvalidCertificate", "issued anew"],
          ["UNSPECIFIED", "unhandled critical extension", "InvalidCertificate", "issued anew"],
          ["UNSPECIFIED", "CA signature digest algorithm too weak", "InvalidCertificate", "issued anew"],
          ["ERROR_IN_CERT_NOT_BEFORE_FIELD", "format error", "InvalidCertificate", "issued anew"],
          ["CERT_REJECTED", "certificate rejected", "InvalidCertificate", "issued anew"],
          ["CERT_REVOKED", "certificate revoked", "InvalidCertificate", "revoked"],
          ["UNABLE_TO_GET_CRL", "unable to get certificate CRL", "InvalidCertificate", "revoked"],
          ["UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY", "unable to decode", "UnknownAuthority", "tls.ca"],
          ["CRL_SIGNATURE_FAILURE", "CRL signature failure", "UnknownAuthority", "tls.ca"]
        ] as const
      ) {
        const checkServerIdentity = () => Object.assign(new Error(message), { code })
        const { client } = yield* makeClient({ tls: { ca: server.ca, checkServerIdentity } })
        const error = yield* Effect.flip(client.get(`${server.url}/`))
        assert.deepInclude(error, { _tag: "TlsError", reason })
        assert.include(error.message, advice)
        assert.include(error.message, message)
      }
    }))

  it.scoped("says that a certificate is not valid yet", () =>
    Effect.gen(function*() {
      const authority = yield* TestAuthority.make()
      const tomorrow = new Date(Date.now() + 24 * 3600_000)
      const certificate = yield* authority.issue({ validFrom: tomorrow, validTo: new Date(Date.now() + 48 * 3600_000) })
      const server = yield* serve({ authority, certificate })
      const { client } = yield* makeClient({ tls: { ca: server.ca } })
      const error = yield* Effect.flip(client.get(`${server.url}/`))
      assert.deepInclude(error, { _tag: "TlsError", reason: "NotYetValid" })
    }))

  it.scoped("says that there is no common version", () =>
    Effect.gen(function*() {
      const server = yield* serve({ maxVersion: "TLSv1.2" })
      const { client } = yield* makeClient({ tls: { ca: server.ca, minVersion: "TLSv1.3" } })
      const error = yield* Effect.flip(client.get(`${server.url}/`))
      assert.deepInclude(error, { _tag: "TlsError", reason: "ProtocolVersion" })
    }))

  it.scoped("says that a server does not speak TLS", () =>
    Effect.gen(function*() {
      const server = yield* plain("HTTP/1.1 400 Bad Request\r\n\r\n")
      const { client } = yield* makeClient()
      const error = yield* Effect.flip(client.get(server.url))
      assert.deepInclude(error, { _tag: "TlsError", reason: "Configuration" })
      assert.include(error.message, "does not speak TLS")
    }))

  it.scoped("says that the options cannot be used", () =>
    Effect.gen(function*() {
      const { certificate, key } = yield* (yield* TestAuthority.make()).issue({ use: "client" })
      const other = yield* (yield* TestAuthority.make()).issue({ use: "client" })
      const broken = certificate.replace(/[A-Z]{3}/g, "AAA").replace("AAA", "BEG")
      const damaged = other.certificate.replace(/\n.{20}/, `\n${"A".repeat(20)}`)
      const invalid: ReadonlyArray<readonly [TlsOptions.TlsOptions, string, string]> = [
        [{ ca: "nonsense" }, "ca", "expected certificates as PEM"],
        [{ ca: new X509Certificate(certificate).raw }, "ca", "-----BEGIN"],
        [{ ca: [certificate, broken] }, "ca", "expected certificates as PEM"],
        // A bundle in one string, whose last certificate is cut, or broken, or lacks its end.
        [{ ca: certificate + damaged }, "ca", "certificate 2 of it"],
        [{ ca: certificate + other.certificate.slice(0, 200) }, "ca", "certificate 2 of it"],
        [{ ca: certificate + other.certificate.replace(/-----END.*/s, "") }, "ca", "certificate 2 of it"],
        [{ ca: Buffer.from(certificate + other.certificate + damaged) }, "ca", "certificate 3 of it"],
        [{ ca: key }, "ca", "no certificate"],
        [{ cert: "no certificate", key }, "cert", "that tls.key and tls.passphrase belong to"],
        [{ cert: certificate, key: "no key" }, "cert", "that tls.key and tls.passphrase belong to"],
        [{ cert: certificate, key: other.key }, "cert", "that tls.key and tls.passphrase belong to"],
        [{ cert: certificate }, "key", "the private key of tls.cert"],
        [{ key }, "cert", "the certificate that tls.key belongs to"],
        [{ minVersion: "TLSv1.3", maxVersion: "TLSv1.2" }, "minVersion", "no higher a version than tls.maxVersion"]
      ]
      for (const [tls, option, words] of invalid) {
        const error = yield* Effect.flip(makeClient({ tls }))
        assert.deepEqual(error.problems.map((problem) => problem.option), [`tls.${option}`])
        assert.include(error.message, words)
        assert.notInclude(error.message, "PRIVATE KEY")
      }
      yield* makeClient({ tls: { ca: [certificate, Buffer.from(other.certificate)], cert: certificate, key } })
      // What stands between certificates is for people.
      yield* makeClient({
        tls: { ca: `# one\n${certificate}\r\n# two\n${other.certificate.replaceAll("\n", "\r\n")}` }
      })
    }))

  it.scoped("distinguishes a refused connection from TLS that fails", () =>
    Effect.gen(function*() {
      const server = yield* serve({}, { port: yield* TestServer.unusedPort })
      yield* server.stopAccepting
      const { client } = yield* makeClient({ tls: { ca: server.ca } })
      const error = yield* Effect.flip(client.get(`${server.url}/`))
      assert.deepInclude(error, { _tag: "ConnectError", reason: "Refused" })
    }))
})

describe("A handshake that does not end", () => {
  it.scoped("counts against timeouts.connect, and leaves no socket", () =>
    Effect.gen(function*() {
      const server = yield* plain()
      const { client, pool } = yield* makeClient({ timeouts: { connect: "3 seconds", pool: "1 minute" } })
      const request = yield* Effect.fork(Effect.flip(client.get(server.url)))
      yield* until(() => server.open() === 1)
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* Fiber.join(request))._tag, "ConnectTimeout")
      yield* until(() => server.open() === 0 && pool.unsafeStats().open === 0)
    }))

  it.scoped("ends with the interrupt of its only waiter", () =>
    Effect.gen(function*() {
      const server = yield* plain()
      const { client, pool } = yield* makeClient()
      const request = yield* Effect.fork(client.get(server.url))
      yield* until(() => server.open() === 1)
      yield* Fiber.interrupt(request)
      yield* until(() => server.open() === 0 && pool.unsafeStats().open === 0)
    }))
})
