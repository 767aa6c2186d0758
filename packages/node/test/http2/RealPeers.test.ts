import type { HttpClient } from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Retry from "@sluice/core/Retry"
import * as TransportError from "@sluice/core/TransportError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { recordEvents } from "../client/support.js"
import * as realPeers from "./realPeers.js"
import type { At } from "./realPeers.js"
import { makeClient, until } from "./support.js"

/** What ends a server as its operator would, so that requests under way are finished. */
const quit: NodeJS.Signals = "SIGQUIT"
const term: NodeJS.Signals = "SIGTERM"

const nginx = (extra: string, processes = "master_process off;") => ({
  graceful: quit,
  command: ({ dir }: At) => ["nginx", "-p", dir, "-c", "config", "-e", "error.log"],
  config: ({ dir, port }: At) => [
    `daemon off; ${processes} pid nginx.pid; error_log error.log;`,
    "events { worker_connections 256; }",
    `http { access_log ${dir}/log; ${
      ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${name};`).join(" ")
    }`,
    `server { listen 127.0.0.1:${port} ssl http2; ssl_certificate ${dir}/cert.pem; ssl_certificate_key ${dir}/key.pem;`,
    `root html; ${extra} } }`
  ]
})

const peers = {
  nghttpd: {
    graceful: term,
    command: ({ dir, port }: At) => [
      "nghttpd",
      "-v",
      "-a",
      "127.0.0.1",
      "-d",
      `${dir}/html`,
      String(port),
      `${dir}/key.pem`,
      `${dir}/cert.pem`
    ],
    config: () => []
  },
  // By default it ends a connection after the thousandth request.
  nginx: nginx("keepalive_requests 100000;"),
  h2o: {
    graceful: term,
    command: ({ dir }: At) => ["h2o", "-c", `${dir}/config`],
    config: ({ dir, port }: At) => [
      "num-threads: 1",
      `access-log: ${dir}/log`,
      "listen:",
      `  host: 127.0.0.1`,
      `  port: ${port}`,
      "  ssl:",
      `    certificate-file: ${dir}/cert.pem`,
      `    key-file: ${dir}/key.pem`,
      "hosts:",
      "  default:",
      "    paths:",
      "      /:",
      `        file.dir: ${dir}/html`
    ]
  },
  caddy: {
    graceful: term,
    command: ({ dir }: At) => ["caddy", "run", "--config", `${dir}/config`, "--adapter", "caddyfile"],
    config: ({ dir, port }: At) => [
      "{",
      "  admin off",
      "  auto_https off",
      `  storage file_system ${dir}/store`,
      "}",
      `https://127.0.0.1:${port}, https://localhost:${port} {`,
      `  tls ${dir}/cert.pem ${dir}/key.pem`,
      `  root * ${dir}/html`,
      "  file_server",
      "  log {",
      `    output file ${dir}/log {`,
      "      mode 0666",
      "    }",
      "  }",
      "}"
    ]
  },
  haproxy: {
    graceful: "SIGUSR1" as NodeJS.Signals,
    command: ({ dir }: At) => ["haproxy", "-db", "-f", `${dir}/config`],
    config: ({ backend, dir, port }: At) => [
      "global",
      "  log stdout format raw local0",
      "  hard-stop-after 1s",
      "defaults",
      "  mode http",
      "  log global",
      "  option httplog",
      "  timeout client 10s",
      "  timeout server 10s",
      "  timeout connect 1s",
      "frontend tls",
      `  bind 127.0.0.1:${port} ssl crt ${dir}/both.pem alpn h2,http/1.1`,
      "  default_backend files",
      "backend files",
      `  server one 127.0.0.1:${backend}`,
      ""
    ]
  },
  nghttpx: {
    graceful: quit,
    command: ({ backend, dir, port }: At) => [
      "nghttpx",
      `-f127.0.0.1,${port}`,
      `-b127.0.0.1,${backend}`,
      `--accesslog-file=${dir}/log`,
      "--single-process",
      `${dir}/key.pem`,
      `${dir}/cert.pem`
    ],
    config: () => []
  },
  apache2: {
    graceful: "SIGWINCH" as NodeJS.Signals,
    command: ({ dir }: At) => ["apache2", "-DFOREGROUND", "-f", `${dir}/config`],
    config: ({ dir, port }: At) => [
      ...["mpm_event", "authz_core", "ssl", "socache_shmcb", "http2", "dir"].map((name) =>
        `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`
      ),
      `ServerRoot ${dir}`,
      "ServerName localhost",
      `PidFile ${dir}/apache.pid`,
      `DefaultRuntimeDir ${dir}`,
      `Listen 127.0.0.1:${port}`,
      `ErrorLog ${dir}/error.log`,
      "LogFormat %r line",
      `CustomLog ${dir}/log line`,
      `DocumentRoot ${dir}/html`,
      "DirectoryIndex index.html",
      "User www-data",
      "Group www-data",
      "Protocols h2 http/1.1",
      "SSLEngine on",
      `SSLCertificateFile ${dir}/cert.pem`,
      `SSLCertificateKeyFile ${dir}/key.pem`,
      "<Directory />",
      "  Require all granted",
      "</Directory>"
    ]
  }
}

type Peer = Parameters<typeof realPeers.start>

/**
 * Those that go on in other processes when their operator has them read their files again. Apache is none: on a busy machine
 * a graceful restart of it closes connections with requests under way, without GOAWAY.
 */
const reloadable: Readonly<Record<string, readonly [command: Peer[0], config: Peer[1], signal: NodeJS.Signals]>> = {
  nginx: [
    peers.nginx.command,
    nginx("keepalive_requests 100000;", "worker_processes 2; worker_shutdown_timeout 5s;").config,
    "SIGHUP"
  ],
  h2o: [(at) => ["h2o", "-m", "master", ...peers.h2o.command(at).slice(1)], peers.h2o.config, "SIGHUP"],
  haproxy: [(at) => ["haproxy", "-W", ...peers.haproxy.command(at).slice(1)], peers.haproxy.config, "SIGUSR2"]
}

const isPost = (n: number) => n % 3 === 0

/** 300 requests, each with a number, 10 at once, a third of them POST; after 50 the server is restarted. */
const restarted = (
  command: Peer[0],
  config: Peer[1],
  signal: NodeJS.Signals,
  retrying: (
    client: HttpClient.With<TransportError.TransportError>
  ) => HttpClient.With<TransportError.TransportError>
) =>
  Effect.gen(function*() {
    const peer = yield* realPeers.start(command, config)
    const { client: bare, pool } = yield* makeClient({ tls: { ca: peer.ca }, whenFull: "wait" })
    const events = yield* recordEvents(pool)
    const client = retrying(bare)
    let done = 0
    const underWay = yield* Effect.makeLatch()
    const ask = (n: number) =>
      Effect.flatMap(
        client.execute(HttpClientRequest.make(isPost(n) ? "POST" : "GET")(`${peer.url}/?n=${n}`)),
        (response) => response.text
      ).pipe(
        Effect.mapError((error) => Option.getOrThrow(TransportError.fromHttpClientError(error))),
        Effect.either,
        Effect.map((outcome) => ({ n, outcome })),
        Effect.tap(() => ++done === 50 ? underWay.open : Effect.void)
      )
    const all = yield* Effect.fork(Effect.forEach(Array.from({ length: 300 }, (_, n) => n), ask, { concurrency: 10 }))
    yield* underWay.await
    yield* peer.restart(signal)
    const outcomes = yield* Fiber.join(all)
    assert.lengthOf(outcomes, 300)
    assert.deepInclude(pool.unsafeStats(), { waiting: 0, dialing: 0, leases: 0 })
    const after = yield* ask(1000)
    assert.deepStrictEqual(after.outcome, Either.right("hello"))
    const granted = (yield* events("Granted")).length
    return { outcomes, granted, asked: yield* peer.asked }
  })

for (const [name, { command, config, graceful }] of Object.entries(peers)) {
  // Not everybody who runs the tests has them; CI installs them.
  describe.skipIf(!realPeers.isInstalled(name))(name, () => {
    it.scopedLive("1,000 requests at 100 at once, over one connection", () =>
      Effect.gen(function*() {
        const peer = yield* realPeers.start(command, config)
        const { client, pool } = yield* makeClient({ tls: { ca: peer.ca } })
        const get = (path: string) => Effect.flatMap(client.get(peer.url + path), (response) => response.text)
        assert.strictEqual(yield* get("/"), "hello")
        const texts = yield* Effect.all(
          Array.from({ length: 1000 }, (_, n) => get(n % 50 === 0 ? "/big" : "/")),
          { concurrency: 100 }
        )
        assert.deepStrictEqual(texts.map((text) => text.length), texts.map((_, n) => n % 50 === 0 ? 1_000_000 : 5))
        const stats = pool.unsafeStats()
        assert.strictEqual(stats.open, 1)
        yield* until(() => pool.unsafeStats().active === 0)
      }), 30_000)

    for (const signal of [graceful, "SIGKILL"] as const) {
      it.scopedLive(
        `a restart in the middle (${signal}): what failed was under way or nobody listened, and no POST came twice`,
        () =>
          Effect.gen(function*() {
            const { asked, granted, outcomes } = yield* restarted(command, config, signal, (client) => client)
            for (const { n, outcome } of outcomes) {
              const times = asked.get(n) ?? 0
              if (Either.isRight(outcome)) {
                assert.isAtLeast(times, 1)
                if (isPost(n)) assert.strictEqual(times, 1)
                else assert.strictEqual(outcome.right, "hello")
                continue
              }
              const error = outcome.left
              assert.oneOf(error._tag, ["ConnectError", "ReadError", "WriteError", "StreamReset"])
              if (error._tag !== "ConnectError") assert.isTrue(error.written)
              assert.strictEqual(error.safeToRetry, !isPost(n) || error._tag === "ConnectError")
              if (isPost(n)) assert.isAtMost(times, error._tag === "ConnectError" ? 0 : 1)
            }
            // What came there was sent from here.
            assert.isAtMost([...asked.values()].reduce((sum, times) => sum + times, 0), granted)
          }),
        30_000
      )
    }

    it.scopedLive("a restart in the middle loses nothing that was safe to repeat", () =>
      Effect.gen(function*() {
        const { asked, outcomes } = yield* restarted(
          command,
          config,
          graceful,
          Retry.safely({
            times: 100,
            base: "20 millis",
            cap: "50 millis",
            budget: Retry.makeBudget({ reserve: 100_000 })
          })
        )
        for (const { n, outcome } of outcomes) {
          if (Either.isRight(outcome)) {
            if (isPost(n)) assert.strictEqual(asked.get(n), 1)
            else assert.strictEqual(outcome.right, "hello")
          } else {
            // A response that had begun and broke off is its reader's, who may ask again; a POST is not sent twice.
            assert.isTrue(isPost(n) || outcome.left.phase === "body", `${n}: ${outcome.left.message}`)
            assert.deepInclude(outcome.left, { _tag: "ReadError", written: true, safeToRetry: !isPost(n) })
            if (isPost(n)) assert.isAtMost(asked.get(n) ?? 0, 1)
          }
        }
      }), 30_000)
  })
}

for (const [name, [command, config, signal]] of Object.entries(reloadable)) {
  describe.skipIf(!realPeers.isInstalled(name))(`${name} that reloads`, () => {
    it.scopedLive("three times among 600 requests loses none, and each comes there once", () =>
      Effect.gen(function*() {
        const peer = yield* realPeers.start(command, config)
        const { client, pool } = yield* makeClient({ tls: { ca: peer.ca }, whenFull: "wait" })
        const events = yield* recordEvents(pool)
        let done = 0
        const ask = (n: number) =>
          Effect.flatMap(
            client.execute(HttpClientRequest.make(isPost(n) ? "POST" : "GET")(`${peer.url}/?n=${n}`)),
            (response) => response.text
          ).pipe(
            Effect.either,
            Effect.map((outcome) => ({ n, outcome })),
            Effect.tap(() => ++done % 150 === 0 && done < 600 ? peer.reload(signal) : Effect.void)
          )
        const outcomes = yield* Effect.forEach(Array.from({ length: 600 }, (_, n) => n), ask, { concurrency: 10 })
        // A busy machine may need longer for the reload than for the requests.
        for (let n = 600; n < 1000 && (yield* events("DialSucceeded")).length < 2; n++) {
          outcomes.push(yield* ask(n))
          yield* Effect.sleep("20 millis")
        }
        const dials = (yield* events("DialSucceeded")).length
        const failed = outcomes.filter(({ outcome }) => Either.isLeft(outcome))
        const asked = yield* peer.asked
        assert.deepStrictEqual(failed, [])
        assert.deepStrictEqual([...asked].filter(([, times]) => times !== 1), [])
        assert.isAtLeast(dials, 2)
      }), 30_000)
  })
}

// nghttpd speaks nothing but HTTP/2.
for (const name of ["nginx", "h2o", "caddy"] as const) {
  describe.skipIf(!realPeers.isInstalled(name))(`${name} over HTTP/1.1 and TLS`, () => {
    it.scopedLive("300 requests one after the other, over one connection", () =>
      Effect.gen(function*() {
        const { command, config } = peers[name]
        const peer = yield* realPeers.start(command, config)
        const { client, pool } = yield* makeClient({ tls: { ca: peer.ca }, http2: false })
        const events = yield* recordEvents(pool)
        for (let n = 0; n < 300; n++) {
          const text = yield* Effect.flatMap(client.get(`${peer.url}/?n=${n}`), (response) => response.text)
          assert.strictEqual(text, "hello")
        }
        yield* until(() => pool.unsafeStats().active === 0)
        assert.lengthOf(yield* events("DialSucceeded"), 1)
      }), 30_000)
  })
}

describe.skipIf(!realPeers.isInstalled("nginx"))("nginx that says goodbye after 100 requests", () => {
  it.scopedLive("loses none of 1,000, and none is refused", () =>
    Effect.gen(function*() {
      const { command, config } = nginx("keepalive_requests 100;")
      const peer = yield* realPeers.start(command, config)
      const { client, pool } = yield* makeClient({ tls: { ca: peer.ca } })
      const get = Effect.flatMap(client.get(`${peer.url}/`), (response) => response.text)
      const texts = yield* Effect.all(Array.from({ length: 1000 }, () => get), { concurrency: 50 })
      assert.isTrue(texts.every((text) => text === "hello"))
      yield* until(() => pool.unsafeStats().active === 0 && pool.unsafeStats().closing === 0)
    }), 30_000)
})
