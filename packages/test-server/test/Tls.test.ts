import { assert, describe, it } from "@effect/vitest"
import { Reply, TestAuthority, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import { X509Certificate } from "node:crypto"
import { connect, overSocket, secureConnect } from "./support.js"

const serve = (options: TestServer.TlsOptions | true, rest: TestServer.Options = {}) =>
  TestServer.make({ ...rest, tls: options, replies: { "/": Reply.text("hello"), ...rest.replies } })

describe("HTTPS", () => {
  it.scoped("is what a verifying client trusts, by name and by address", () =>
    Effect.gen(function*() {
      const server = yield* serve(true)
      assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/)
      for (const servername of ["localhost", ""]) {
        const socket = yield* secureConnect({
          host: server.host,
          port: server.port,
          ca: server.ca,
          ...(servername === "" ? {} : { servername })
        })
        assert.isTrue(socket.authorized)
        const client = overSocket(socket)
        client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        yield* client.until("hello")
      }
      const stats = yield* server.stats
      assert.strictEqual(stats.tlsHandshakes, 2)
      assert.deepStrictEqual(stats.requestsPerConnection, [1, 1])
    }))

  for (
    const [certificate, code] of [
      ["expired", "CERT_HAS_EXPIRED"],
      ["wrong-host", "ERR_TLS_CERT_ALTNAME_INVALID"],
      ["self-signed", "DEPTH_ZERO_SELF_SIGNED_CERT"],
      ["unknown-authority", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"]
    ] as const
  ) {
    it.scoped(`is refused for a certificate that is ${certificate}`, () =>
      Effect.gen(function*() {
        const server = yield* serve({ certificate })
        const error = yield* Effect.flip(
          secureConnect({ host: "127.0.0.1", port: server.port, ca: server.ca, servername: "localhost" })
        )
        assert.strictEqual(error.code, code)
        yield* server.awaitStats((stats) => stats.connectionsOpened === 1 && stats.openConnections === 0)
      }))
  }

  it.scoped("asks for client certificates", () =>
    Effect.gen(function*() {
      const authority = yield* TestAuthority.make()
      const server = yield* serve({ authority, clientCertificate: "required" })
      const identity = yield* authority.issue({ use: "client", commonName: "Ann" })
      const where = { host: server.host, port: server.port, ca: authority.certificate }
      const socket = yield* secureConnect({ ...where, cert: identity.certificate, key: identity.key })
      const client = overSocket(socket)
      client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      yield* client.until("hello")
      // With TLS 1.3 a client believes itself connected before the server has looked at its certificate.
      const stranger = overSocket(yield* secureConnect(where))
      assert.strictEqual(yield* stranger.closed, "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED")
      const stats = yield* server.awaitStats((stats) => stats.openConnections === 1 && stats.connectionsOpened === 2)
      assert.strictEqual(stats.tlsHandshakes, 1)
      assert.strictEqual(stats.tlsFailures.length, 1)
    }))

  it.scoped("knows what each client has shown and asked for", () =>
    Effect.gen(function*() {
      const authority = yield* TestAuthority.make()
      const server = yield* TestServer.make({ tls: { authority, clientCertificate: "optional" }, http2: true })
      const identity = yield* authority.issue({ use: "client", commonName: "Ann" })
      const stranger = yield* TestAuthority.selfSigned({ use: "client", commonName: "Bob" })
      const where = { host: server.host, port: server.port, ca: server.ca, servername: "localhost" }
      const ann = yield* secureConnect({
        ...where,
        cert: identity.certificate,
        key: identity.key,
        ALPNProtocols: ["h2"]
      })
      yield* secureConnect({ ...where, cert: stranger.certificate, key: stranger.key })
      const plain = yield* secureConnect({ host: server.host, port: server.port, ca: server.ca })
      yield* server.awaitStats((stats) => stats.tlsHandshakes === 3)
      plain.destroy()
      yield* server.awaitStats((stats) => stats.openConnections === 2)
      const common = { version: "TLSv1.3", resumed: false }
      const connections = yield* server.connections
      assert.deepStrictEqual(connections.map((one) => one.tls), [
        { ...common, servername: "localhost", alpn: "h2", clientName: "Ann", clientTrusted: true },
        { ...common, servername: "localhost", alpn: undefined, clientName: "Bob", clientTrusted: false },
        { ...common, servername: undefined, alpn: undefined, clientName: undefined, clientTrusted: false }
      ])
      assert.deepStrictEqual(connections.map((one) => one.open), [true, true, false])
      assert.deepStrictEqual(connections.map((one) => one.protocol), ["HTTP/2", "HTTP/1.1", "HTTP/1.1"])
      assert.strictEqual(connections[0].remotePort, ann.localPort)
    }))

  it.scoped("chooses a protocol by ALPN, fails without a common one, or knows no ALPN", () =>
    Effect.gen(function*() {
      const offer = { host: "127.0.0.1", servername: "localhost", ALPNProtocols: ["h2", "http/1.1"] }
      for (
        const [options, wanted] of [
          [{}, "http/1.1"],
          [{ http2: true }, "h2"],
          [{ http2: true, http1: false }, "h2"],
          [{ tls: { alpn: [] } }, false]
        ] as const
      ) {
        const server = yield* TestServer.make({ tls: true, ...options })
        const socket = yield* secureConnect({ ...offer, port: server.port, ca: server.ca })
        assert.strictEqual(socket.alpnProtocol, wanted)
      }
      const server = yield* serve({ alpn: ["spdy/3"] })
      const error = yield* Effect.flip(secureConnect({ ...offer, port: server.port, ca: server.ca }))
      assert.strictEqual(error.code, "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL")
      yield* server.awaitStats((stats) => stats.tlsFailures.length === 1)
    }))

  it.scoped("counts resumed sessions", () =>
    Effect.gen(function*() {
      const server = yield* serve(true)
      const where = { host: server.host, port: server.port, ca: server.ca }
      const socket = yield* secureConnect(where)
      const session = yield* Effect.async<Buffer>((resume) => {
        socket.once("session", (session: Buffer) => resume(Effect.succeed(session)))
      })
      yield* secureConnect({ ...where, session })
      yield* server.awaitStats((stats) => stats.tlsHandshakes === 2 && stats.tlsResumed === 1)
    }))

  it.scoped("limits the versions it speaks", () =>
    Effect.gen(function*() {
      const server = yield* serve({ maxVersion: "TLSv1.2" })
      const where = { host: server.host, port: server.port, ca: server.ca }
      const socket = yield* secureConnect(where)
      assert.strictEqual(socket.getProtocol(), "TLSv1.2")
      const error = yield* Effect.flip(secureConnect({ ...where, minVersion: "TLSv1.3" }))
      assert.match(String(error.code), /PROTOCOL_VERSION/)
    }))

  it.scoped("stalls a handshake while reading is paused", () =>
    Effect.gen(function*() {
      const server = yield* serve(true)
      yield* server.pauseReading
      const fiber = yield* Effect.fork(secureConnect({ host: server.host, port: server.port, ca: server.ca }))
      yield* server.awaitStats((stats) => stats.openConnections === 1)
      assert.strictEqual((yield* server.stats).tlsHandshakes, 0)
      yield* server.resumeReading
      yield* fiber
    }))

  it.scoped("notes a client that speaks no TLS, and one that leaves in between", () =>
    Effect.gen(function*() {
      const server = yield* serve(true)
      const plain = yield* connect({ host: server.host, port: server.port })
      plain.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      yield* plain.closed
      const quiet = yield* connect({ host: server.host, port: server.port })
      quiet.socket.destroy()
      const stats = yield* server.awaitStats((stats) => stats.tlsFailures.length === 2 && stats.openConnections === 0)
      assert.strictEqual(stats.tlsFailures[0], "ERR_SSL_HTTP_REQUEST")
    }))

  it.scoped("breaks off and resets under TLS too", () =>
    Effect.gen(function*() {
      const server = yield* serve(true, {
        replies: {
          "/cut": Reply.text("hello world", { abrupt: { afterBytes: 5 } }),
          "/reset": Reply.disconnect("reset")
        }
      })
      const where = { host: server.host, port: server.port, ca: server.ca }
      const cut = overSocket(yield* secureConnect(where))
      cut.write("GET /cut HTTP/1.1\r\nHost: a\r\n\r\n")
      yield* cut.closed
      assert.match(cut.received(), /\r\n\r\nhello$/)
      const reset = overSocket(yield* secureConnect(where))
      reset.write("GET /reset HTTP/1.1\r\nHost: a\r\n\r\n")
      assert.strictEqual(yield* reset.closed, "ECONNRESET")
    }))
})

describe("TestAuthority", () => {
  it.effect("makes certificates that say what was asked for", () =>
    Effect.gen(function*() {
      const authority = yield* TestAuthority.make("My authority")
      const identity = yield* authority.issue({
        names: ["a.example", "*.b.example", "10.1.2.3", "2001:db8::a:0:1"],
        validFrom: new Date("2049-12-31T23:59:59Z"),
        validTo: new Date("2050-01-01T00:00:00Z")
      })
      const ca = new X509Certificate(authority.certificate)
      const leaf = new X509Certificate(identity.certificate)
      assert.isTrue(ca.ca)
      assert.isFalse(leaf.ca)
      assert.isTrue(leaf.checkIssued(ca))
      assert.isTrue(leaf.verify(ca.publicKey))
      assert.strictEqual(leaf.issuer, "CN=My authority")
      assert.strictEqual(leaf.subject, "CN=a.example")
      assert.strictEqual(
        leaf.subjectAltName,
        "DNS:a.example, DNS:*.b.example, IP Address:10.1.2.3, IP Address:2001:DB8:0:0:0:A:0:1"
      )
      assert.strictEqual(leaf.validFrom, "Dec 31 23:59:59 2049 GMT")
      assert.strictEqual(leaf.validTo, "Jan  1 00:00:00 2050 GMT")
    }))
})
