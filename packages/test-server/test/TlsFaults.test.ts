import { assert, describe, it } from "@effect/vitest"
import { Reply, TestAuthority, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as tls from "node:tls"
import { connect, GET, overSocket, secureConnect, temporaryFolder } from "./support.js"

const failed = (options: tls.ConnectionOptions) =>
  Effect.map(Effect.flip(secureConnect(options)), (error) => error.code ?? error.message)

const session = (socket: tls.TLSSocket) =>
  Effect.async<Buffer>((resume) => {
    // With TLS 1.2 it is part of the handshake, which is done.
    const session = socket.getProtocol() === "TLSv1.2" ? socket.getSession() : undefined
    if (session !== undefined) return resume(Effect.succeed(session))
    socket.once("session", (session: Buffer) => resume(Effect.succeed(session)))
  })

describe("a handshake", () => {
  for (
    const [fault, code] of [
      ["end", "ECONNRESET"],
      ["reset", "ECONNRESET"],
      ["clear-text", "ERR_SSL_WRONG_VERSION_NUMBER"],
      [{ alert: 40 }, "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE"]
    ] as const
  ) {
    it.scoped(`is spoiled by ${JSON.stringify(fault)}`, () =>
      Effect.gen(function*() {
        const server = yield* TestServer.make({ tls: { handshake: fault } })
        const error = yield* failed({ port: server.port, host: server.host, ca: server.ca })
        // Which of OpenSSL's names an alert has depends on its version.
        assert.match(error, code.includes("ALERT") ? /HANDSHAKE_FAILURE/ : new RegExp(code))
        const stats = yield* server.awaitStats((stats) => stats.openConnections === 0)
        assert.strictEqual(stats.tlsFaults, 1)
        assert.strictEqual(stats.tlsHandshakes, 0)
        assert.deepStrictEqual(stats.tlsFailures, [])
      }))
  }

  it.scoped("is met with silence, and the client's end is noticed", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ tls: { handshake: "silence" } })
      const socket = tls.connect({ port: server.port, host: server.host, ca: server.ca })
      socket.on("error", () => {})
      yield* server.awaitStats((stats) => stats.tlsFaults === 1 && stats.openConnections === 1)
      socket.destroy()
      yield* server.awaitStats((stats) => stats.openConnections === 0)
    }))

  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    for (const fault of ["silence", "reset", { alert: 80 }] as const) {
      it.scoped(`that resumes a session is spoiled by ${JSON.stringify(fault)}, full ones are done: ${version}`, () =>
        Effect.gen(function*() {
          const server = yield* TestServer.make({
            tls: { resumption: fault, maxVersion: version },
            replies: { "/": Reply.text("fine") }
          })
          const where = { port: server.port, host: server.host, ca: server.ca, servername: "localhost" }
          const first = yield* secureConnect(where)
          const ticket = yield* session(first)
          const resuming = tls.connect({ ...where, session: ticket })
          resuming.on("error", () => {})
          yield* server.awaitStats((stats) => stats.tlsFaults === 1)
          resuming.destroy()
          const client = overSocket(yield* secureConnect(where))
          client.write(GET("/"))
          yield* client.until("fine")
          const stats = yield* server.stats
          assert.strictEqual(stats.tlsHandshakes, 2)
          assert.strictEqual(stats.tlsFaults, 1)
        }))
    }
  }

  it.scoped("over a Unix socket is that of its own client", () =>
    Effect.gen(function*() {
      const path = `${yield* temporaryFolder}/socket`
      const server = yield* TestServer.make({
        unixPath: path,
        tls: true,
        replies: { "*": ({ target }) => Reply.text(`<${target}>`) }
      })
      const clients = yield* Effect.all(
        ["/0", "/1", "/2"].map((target) =>
          Effect.gen(function*() {
            // Connected first, so that their handshakes are under way at once.
            const plain = yield* connect({ path })
            plain.socket.removeAllListeners("data")
            const socket = yield* secureConnect({ socket: plain.socket, ca: server.ca, servername: "localhost" })
            const client = overSocket(socket)
            client.write(GET(target))
            return yield* client.until(`<${target}>`)
          })
        ),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(clients.length, 3)
      const stats = yield* server.stats
      assert.strictEqual(stats.tlsHandshakes, 3)
      assert.deepStrictEqual(stats.requestsPerConnection, [1, 1, 1])
    }))

  it.scoped("that fails for the client's certificate says why", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ tls: { clientCertificate: "required" } })
      const stranger = yield* TestAuthority.selfSigned({ use: "client", commonName: "Bob" })
      const where = { host: server.host, port: server.port, ca: server.ca }
      const socket = yield* secureConnect({ ...where, cert: stranger.certificate, key: stranger.key })
      yield* overSocket(socket).closed
      yield* overSocket(yield* secureConnect(where)).closed
      const stats = yield* server.awaitStats((stats) => stats.tlsFailures.length === 2)
      assert.deepStrictEqual(stats.tlsFailures, [
        "the client's certificate was refused: DEPTH_ZERO_SELF_SIGNED_CERT",
        "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE"
      ])
    }))
})
