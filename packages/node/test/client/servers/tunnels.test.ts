import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as ConnectionPool from "@sluice/core/ConnectionPool"
import * as PooledHttpClient from "@sluice/core/PooledHttpClient"
import * as Tunnel from "@sluice/core/Tunnel"
import { Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as realPeers from "../../http2/realPeers.js"
import { makeClient, settled } from "../support.js"

// Servers of others between our client and the test server, which is at the far end of the tunnel.

interface At {
  readonly port: number
  readonly dir: string
}

const bytes = (text: string) => new TextEncoder().encode(text)

/** Starts a proxy that knows the port of the test server, and speaks clear text. */
const start = (
  command: (at: At) => ReadonlyArray<string>,
  config: (at: At, target: number) => ReadonlyArray<string>
) =>
  Effect.gen(function*() {
    const target = yield* TestServer.make({
      replies: {
        "/": Reply.text("at the far end"),
        "/echo": Reply.tunnel({ status: 101 }),
        "CONNECT *": Reply.tunnel()
      }
    })
    const authority = new URL(target.url).host
    const peer = yield* realPeers.start(command, (at) => config(at, Number(authority.split(":")[1])))
    return { target, authority, url: peer.url.replace("https:", "http:") }
  })

const apache = start(
  ({ dir }) => ["apache2", "-d", dir, "-f", `${dir}/config`, "-D", "FOREGROUND"],
  ({ dir, port }, target) => [
    ...["mpm_event", "authz_core", "proxy", "proxy_connect"].map((name) =>
      `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`
    ),
    "ServerName localhost",
    `Listen 127.0.0.1:${port}`,
    `PidFile ${dir}/pid`,
    `ErrorLog ${dir}/errors`,
    process.getuid?.() === 0 ? "User www-data\nGroup www-data" : "",
    "ProxyRequests On",
    `AllowCONNECT ${target}`,
    "<Proxy *>",
    "  Require all granted",
    "</Proxy>"
  ]
)

const nginx = start(
  ({ dir }) => ["nginx", "-p", dir, "-c", "config", "-e", "error.log"],
  ({ port }, target) => [
    "daemon off; master_process off; pid nginx.pid; error_log error.log;",
    "events { worker_connections 256; }",
    `http { access_log off; ${
      ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${name};`).join(" ")
    }`,
    `server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${target}; proxy_http_version 1.1;`,
    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; } } }"
  ]
)

/** It hands over what it gets, between the versions of HTTP, CONNECT included. */
const haproxy = (bind: string) =>
  start(
    ({ dir }) => ["haproxy", "-db", "-f", `${dir}/config`],
    ({ port }, target) => [
      "defaults",
      "  mode http",
      "  timeout connect 5s",
      "  timeout client 1m",
      "  timeout server 1m",
      "frontend front",
      `  bind 127.0.0.1:${port} ${bind}`,
      "  default_backend back",
      "backend back",
      `  server far 127.0.0.1:${target}`,
      ""
    ]
  )

const echoes = (tunnel: Tunnel.Tunnel) =>
  Effect.gen(function*() {
    const sent = Buffer.alloc(3_000_000, "0123456789")
    const writing = yield* Effect.fork(tunnel.write(sent))
    let received = 0
    yield* Stream.runDrain(Stream.takeUntil(tunnel.stream, (part) => {
      received += part.length
      return received >= sent.length
    }))
    yield* Fiber.join(writing)
    assert.strictEqual(received, sent.length)
  })

const make = (options: Parameters<typeof makeClient>[0] = {}) =>
  Effect.map(makeClient(options), (made) => ({
    ...made,
    use: <A, E>(
      tunnel: ReturnType<typeof Tunnel.upgrade>,
      use: (tunnel: Tunnel.Tunnel) => Effect.Effect<A, E>
    ) => Effect.provideService(Effect.scoped(Effect.flatMap(tunnel, use)), ConnectionPool.ConnectionPool, made.pool)
  }))

const asks = (url: string) => Tunnel.upgrade(HttpClientRequest.get(`${url}/echo`, { headers: { upgrade: "echo" } }))
const isMissing = (program: string) => !realPeers.isInstalled(program)

describe("Tunnels through servers of others", () => {
  it.scoped.skipIf(isMissing("apache2"))("CONNECT by Apache", () =>
    Effect.gen(function*() {
      const { authority, target, url } = yield* apache
      const { pool, use } = yield* make()
      const response = yield* use(Tunnel.connect(HttpClientRequest.get(url), authority), (tunnel) =>
        Effect.zipRight(
          tunnel.write(bytes(`GET / HTTP/1.1\r\nhost: ${authority}\r\nconnection: close\r\n\r\n`)),
          Stream.mkString(Stream.decodeText(tunnel.stream))
        ))
      assert.match(response, /^HTTP\/1\.1 200 OK\r\n[^]*at the far end$/)
      const refused = yield* Effect.flip(
        use(Tunnel.connect(HttpClientRequest.get(url), "127.0.0.1:1"), () => Effect.void)
      )
      assert.deepInclude(refused, {
        _tag: "TunnelRefused",
        message: `${url} opened no tunnel: it responded to CONNECT with status 403`
      })
      assert.strictEqual((yield* settled(pool)).leases, 0)
      yield* target.awaitStats(({ openConnections }) => openConnections === 0)
    }))

  it.scoped.skipIf(isMissing("nginx"))("an upgrade by nginx", () =>
    Effect.gen(function*() {
      const { target, url } = yield* nginx
      const { pool, use } = yield* make()
      yield* use(asks(url), echoes)
      assert.strictEqual((yield* settled(pool)).open, 0)
      yield* target.awaitStats(({ openConnections }) => openConnections === 0)
    }))

  it.scoped.skipIf(isMissing("haproxy"))("an upgrade by HAProxy", () =>
    Effect.gen(function*() {
      const { target, url } = yield* haproxy("")
      const { pool, use } = yield* make()
      yield* use(asks(url), echoes)
      assert.strictEqual((yield* settled(pool)).open, 0)
      yield* target.awaitStats(({ openConnections }) => openConnections === 0)
    }))

  it.scoped.skipIf(isMissing("haproxy"))(
    "CONNECT over HTTP/2 by HAProxy, several on one connection",
    () =>
      Effect.gen(function*() {
        const { target, url } = yield* haproxy("proto h2")
        const { pool, use } = yield* make({ http2: "prior-knowledge" })
        const connect = Tunnel.connect(HttpClientRequest.get(url), "far.test:7")
        const protocols = yield* Effect.all(
          Effect.replicate(
            use(connect, (tunnel) =>
              Effect.map(
                echoes(tunnel),
                () => Option.getOrThrow(PooledHttpClient.connectionInfo(tunnel.response)).protocol
              )),
            3
          ),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(protocols, ["h2", "h2", "h2"])
        const { idle, open } = yield* settled(pool)
        assert.deepStrictEqual({ idle, open }, { idle: 1, open: 1 })
        yield* target.awaitStats(({ openConnections }) => openConnections === 0)
        assert.deepStrictEqual((yield* target.requests).map(({ method, target }) => [method, target]), [
          ["CONNECT", "far.test:7"],
          ["CONNECT", "far.test:7"],
          ["CONNECT", "far.test:7"]
        ])
      })
  )
})
