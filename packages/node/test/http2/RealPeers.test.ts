import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as realPeers from "./realPeers.js"
import { makeClient, until } from "./support.js"

interface At {
  readonly port: number
  readonly dir: string
}

const nginx = (extra: string) => ({
  command: ({ dir }: At) => ["nginx", "-p", dir, "-c", "config", "-e", "error.log"],
  config: ({ dir, port }: At) => [
    "daemon off; master_process off; pid nginx.pid; error_log error.log;",
    "events { worker_connections 256; }",
    `http { access_log off; ${
      ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${name};`).join(" ")
    }`,
    `server { listen 127.0.0.1:${port} ssl http2; ssl_certificate ${dir}/cert.pem; ssl_certificate_key ${dir}/key.pem;`,
    `root html; ${extra} } }`
  ]
})

const peers = {
  nghttpd: {
    command: ({ dir, port }: At) => [
      "nghttpd",
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
  nginx: nginx(""),
  h2o: {
    command: ({ dir }: At) => ["h2o", "-c", `${dir}/config`],
    config: ({ dir, port }: At) => [
      "num-threads: 1",
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
      "}"
    ]
  }
}

for (const [name, { command, config }] of Object.entries(peers)) {
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

    it.scopedLive("a restart in the middle loses nothing that was safe to repeat", () =>
      Effect.gen(function*() {
        const peer = yield* realPeers.start(command, config)
        const { client, pool } = yield* makeClient({ tls: { ca: peer.ca }, whenFull: "wait" })
        const get = Effect.flatMap(client.get(`${peer.url}/`), (response) => response.text)
        let done = 0
        const all = yield* Effect.fork(Effect.all(
          Array.from({ length: 300 }, () => Effect.tap(Effect.either(get), () => done++)),
          { concurrency: 10 }
        ))
        yield* until(() => done >= 50)
        yield* peer.restart
        const results = yield* Fiber.join(all)
        for (const result of results) {
          // While nobody listens a dial is refused; an answer that had begun may break off; nothing else goes wrong.
          if (result._tag === "Right") assert.strictEqual(result.right, "hello")
          else assert.include(["ConnectError", "ReadError", "WriteError", "ResponseError"], result.left._tag)
        }
        assert.strictEqual(yield* get, "hello")
        assert.deepInclude(pool.unsafeStats(), { waiting: 0, dialing: 0 })
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
