import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import type { HttpClientLayer } from "@sluice/node"
import { Reply, TestAuthority, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { failure, makeClient } from "../client/support.js"
import * as realPeers from "../http2/realPeers.js"

// Proxies of others, as Debian has them, between our client and the test server.

const ncsa = "/usr/lib/squid/basic_ncsa_auth"
const isMissing = (...programs: ReadonlyArray<string>) => !programs.every(realPeers.isInstalled)
const portOf = (url: string) => new URL(url).port

/** For `ann:secret`. */
const passwords = () => `ann:${spawnSync("openssl", ["passwd", "-apr1", "secret"]).stdout.toString()}`

const squid = realPeers.start(
  ({ dir }) => ["squid", "-N", "-f", `${dir}/config`],
  ({ dir, port }) => {
    writeFileSync(`${dir}/passwords`, passwords())
    return [
      `http_port 127.0.0.1:${port}`,
      `pid_filename none`,
      `cache_log ${dir}/log`,
      "access_log none",
      "cache deny all",
      "shutdown_lifetime 0 seconds",
      `auth_param basic program ${ncsa} ${dir}/passwords`,
      "auth_param basic realm test",
      "acl known proxy_auth REQUIRED",
      "acl closed port 1",
      "http_access deny closed",
      "http_access allow known",
      "http_access deny all",
      ""
    ]
  }
)

const tinyproxy = realPeers.start(
  ({ dir }) => ["tinyproxy", "-d", "-c", `${dir}/config`],
  ({ port }) => [`Port ${port}`, "Listen 127.0.0.1", "Timeout 60", "MaxClients 20", "BasicAuth ann secret", ""]
)

const dante = realPeers.start(
  ({ dir }) => ["danted", "-f", `${dir}/config`, "-p", `${dir}/pid`],
  ({ dir, port }) => [
    `logoutput: ${dir}/log`,
    `internal: 127.0.0.1 port = ${port}`,
    "external: lo",
    "clientmethod: none",
    "socksmethod: none",
    "client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }",
    "socks block { from: 0.0.0.0/0 to: 0.0.0.0/0 port = 1 }",
    "socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }",
    ""
  ]
)

/** TLS in front of another proxy. */
const haproxy = (behind: string) =>
  realPeers.start(
    ({ dir }) => ["haproxy", "-db", "-f", `${dir}/config`],
    ({ dir, port }) => {
      writeFileSync(`${dir}/both.pem`, `${readFileSync(`${dir}/cert.pem`)}\n${readFileSync(`${dir}/key.pem`)}`)
      return [
        "defaults",
        "  mode tcp",
        "  timeout connect 5s",
        "  timeout client 1m",
        "  timeout server 1m",
        "listen front",
        `  bind 127.0.0.1:${port} ssl crt ${dir}/both.pem`,
        `  server far 127.0.0.1:${portOf(behind)}`,
        ""
      ]
    }
  )

const nghttpx = (behind: string) =>
  realPeers.start(
    ({ dir, port }) => [
      "nghttpx",
      `--conf=${dir}/config`,
      "--http2-proxy",
      `-f127.0.0.1,${port}`,
      `-b127.0.0.1,${portOf(behind)}`,
      `${dir}/key.pem`,
      `${dir}/cert.pem`
    ],
    () => [""]
  )

const setUp = Effect.gen(function*() {
  const authority = yield* TestAuthority.make()
  const certificate = yield* authority.issue()
  const replies = { "/": Reply.text("from afar"), "/big": Reply.size(3_000_000) }
  const secure = yield* TestServer.make({ tls: { authority, certificate }, replies })
  const plain = yield* TestServer.make({ replies })
  return { secure, plain, tls: { ca: authority.certificate } }
})

/** Requests of both kinds, twice and at once, and what a closed port leads to. */
const exercise = (
  { plain, secure, tls }: Effect.Effect.Success<typeof setUp>,
  proxy: HttpClientLayer.Options["proxy"],
  http2: boolean
) =>
  Effect.gen(function*() {
    const { client: bare } = yield* makeClient({ tls, http2, proxy })
    // Once in a while nghttpx meets a connection that tinyproxy is closing, and says 502 by itself.
    const client = bare.pipe(
      HttpClient.filterOrFail((response) => response.status !== 502, () => "nghttpx lost its backend" as const),
      HttpClient.retry({ times: 3, while: (error) => error === "nghttpx lost its backend" })
    )
    for (const server of [plain, secure]) {
      for (let n = 0; n < 2; n++) assert.strictEqual(yield* (yield* client.get(`${server.url}/`)).text, "from afar")
      const all = yield* Effect.forEach(
        [1, 2, 3],
        () => Effect.flatMap(client.get(`${server.url}/big`), (response) => response.arrayBuffer),
        { concurrency: "unbounded" }
      )
      for (const body of all) assert.strictEqual(body.byteLength, 3_000_000)
    }
    for (const request of [...(yield* plain.requests), ...(yield* secure.requests)]) {
      assert.isUndefined(request.header("proxy-authorization"))
    }
    const closed = yield* failure(bare.get("https://127.0.0.1:1/"))
    assert.strictEqual(closed._tag, "ProxyError")
    return closed
  })

const asAnn = (url: string) => url.replace(/^https?:\/\//, "http://ann:secret@")

describe("Proxies of Debian", () => {
  for (const http2 of [false, true]) {
    const version = http2 ? "HTTP/2" : "HTTP/1.1"

    it.scoped.skipIf(isMissing("squid", "openssl") || !existsSync(ncsa))(
      `squid (${version})`,
      () =>
        Effect.gen(function*() {
          const world = yield* setUp
          const { url } = yield* squid
          assert.deepInclude({ ...(yield* exercise(world, asAnn(url), http2)) }, { reason: "Refused", status: 403 })
          const { client } = yield* makeClient({ proxy: url.replace("https:", "http:") })
          for (const server of [world.plain, world.secure]) {
            const error = yield* failure(client.get(`${server.url}/`))
            assert.deepInclude({ ...error }, { _tag: "ProxyError", reason: "Authentication", status: 407 })
          }
        }),
      30_000
    )

    it.scoped.skipIf(isMissing("tinyproxy"))(`tinyproxy (${version})`, () =>
      Effect.gen(function*() {
        const world = yield* setUp
        const { url } = yield* tinyproxy
        yield* exercise(world, asAnn(url), http2)
        const { client } = yield* makeClient({ proxy: url.replace("https:", "http:") })
        const error = yield* failure(client.get(`${world.secure.url}/`))
        assert.deepInclude({ ...error }, { _tag: "ProxyError", reason: "Authentication" })
      }), 30_000)

    it.scoped.skipIf(isMissing("danted"))(`dante (${version})`, () =>
      Effect.gen(function*() {
        const world = yield* setUp
        const { url } = yield* dante
        for (const scheme of ["socks5", "socks5h"]) {
          const error = yield* exercise(world, url.replace("https", scheme), http2)
          assert.deepInclude({ ...error }, { reason: "Refused", code: 2 })
        }
      }), 30_000)

    it.scoped.skipIf(isMissing("haproxy", "tinyproxy"))(
      `TLS by haproxy before tinyproxy (${version})`,
      () =>
        Effect.gen(function*() {
          const world = yield* setUp
          const { ca, url } = yield* haproxy((yield* tinyproxy).url)
          yield* exercise(world, { url, username: "ann", password: "secret", tls: { ca } }, http2)
        }),
      30_000
    )

    it.scoped.skipIf(isMissing("nghttpx", "tinyproxy"))(
      `nghttpx before tinyproxy (${version})`,
      () =>
        Effect.gen(function*() {
          const world = yield* setUp
          const { ca, url } = yield* nghttpx((yield* tinyproxy).url)
          yield* exercise(world, { url, username: "ann", password: "secret", tls: { ca } }, http2)
        }),
      30_000
    )
  }
})
