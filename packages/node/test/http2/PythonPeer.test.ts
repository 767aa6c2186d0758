import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Trailers from "@sluice/core/Trailers"
import { TestAuthority } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { makeClient } from "./support.js"

// Against python3-h2, the Debian package, with whatever interpreter Debian calls python3.
const python = "/usr/bin/python3"
const missing = spawnSync(python, ["-c", "import h2"]).status !== 0

const start = (tls: boolean) =>
  Effect.gen(function*() {
    const authority = yield* TestAuthority.make()
    const identity = yield* authority.issue()
    const dir = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-python-"))),
      (dir) => Effect.sync(() => rmSync(dir, { recursive: true, force: true }))
    )
    const files = [join(dir, "cert.pem"), join(dir, "key.pem")]
    writeFileSync(files[0], identity.certificate)
    writeFileSync(files[1], identity.key)
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(python, [fileURLToPath(new URL("pythonPeer.py", import.meta.url)), ...(tls ? files : [])], {
          stdio: ["pipe", "pipe", "inherit"]
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const lines: Array<string> = []
    const port = yield* Effect.async<string>((resume) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        lines.push(...text.split("\n").filter((line) => line !== ""))
        resume(Effect.succeed(lines[0]))
      })
    })
    const { client, pool } = yield* makeClient(
      tls ? { tls: { ca: authority.certificate } } : { http2: "prior-knowledge" }
    )
    return {
      client,
      pool,
      url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
      /** What it objects to. */
      objections: () => lines.slice(1)
    }
  })

interface Echo {
  readonly headers: ReadonlyArray<readonly [string, string]>
  readonly size: number
  readonly trailers: ReadonlyArray<readonly [string, string]>
}

for (const tls of [false, true]) {
  describe.skipIf(missing)(`python3-h2 over ${tls ? "TLS" : "TCP"} (skipped without the package)`, () => {
    it.scopedLive("takes requests of all kinds, and objects to none of their frames", () =>
      Effect.gen(function*() {
        const { client, objections, pool, url } = yield* start(tls)
        const echo = (request: HttpClientRequest.HttpClientRequest) =>
          Effect.flatMap(client.execute(request), (response) => Effect.map(response.json, (json) => json as Echo))
        const headers = { "x-long": "v".repeat(40_000), cookie: "a=1; b=2", "x-latin": "caf\u00e9" }
        const got = yield* echo(HttpClientRequest.get(`${url}/echo`, { headers }))
        for (
          const field of [["x-long", "40000 characters"], ["cookie", "a=1; b=2"], ["x-latin", "caf\u00e9"]]
        ) {
          assert.deepInclude(got.headers, field as never)
        }
        const whole = HttpBody.uint8Array(new Uint8Array(500_000))
        assert.strictEqual((yield* echo(HttpClientRequest.post(`${url}/echo`, { body: whole }))).size, 500_000)
        const chunks = HttpBody.stream(Stream.fromIterable(Array.from({ length: 300 }, () => new Uint8Array(1001))))
        assert.strictEqual((yield* echo(HttpClientRequest.post(`${url}/echo`, { body: chunks }))).size, 300_300)
        const trailing = HttpClientRequest.post(`${url}/echo`).pipe(
          HttpClientRequest.bodyText("text"),
          Trailers.set(Effect.succeed({ "X-Sum": "4" }))
        )
        assert.deepStrictEqual((yield* echo(trailing)).trailers, [["x-sum", "4"]])
        const interim = yield* client.get(`${url}/interim`)
        assert.strictEqual(interim.headers["x-path"], "/interim")
        yield* interim.text
        assert.strictEqual(pool.unsafeStats().open, 1)
        assert.deepStrictEqual(objections(), [])
      }), 20_000)

    it.scopedLive("200 bodies at once in padded frames, some of them left", () =>
      Effect.gen(function*() {
        const { client, objections, url } = yield* start(tls)
        const sizes = yield* Effect.forEach(
          Array.from({ length: 200 }, (_, n) => n * 997),
          (size, n) =>
            Effect.scoped(Effect.flatMap(client.get(`${url}/size/${size}`), (response) =>
              n % 10 === 0 ? Effect.succeed(size) : Effect.map(response.arrayBuffer, (bytes) =>
                bytes.byteLength))),
          { concurrency: 50 }
        )
        assert.deepStrictEqual(
          sizes,
          sizes.map((_, n) =>
            n * 997
          )
        )
        assert.deepStrictEqual(objections(), [])
      }), 20_000)

    it.scopedLive("goes by settings that change under way, and by GOAWAY", () =>
      Effect.gen(function*() {
        const { client, objections, pool, url } = yield* start(tls)
        const post = (path: string, size: number) =>
          Effect.flatMap(
            client.post(`${url}${path}`, { body: HttpBody.uint8Array(new Uint8Array(size)) }),
            (response) => Effect.map(response.json, (json) => (json as Echo).size)
          )
        yield* post("/settings", 10)
        const sizes = yield* Effect.forEach(Array.from({ length: 20 }, (_, n) => n * 5000), (size) =>
          post("/echo", size), {
          concurrency: 10
        })
        assert.deepStrictEqual(
          sizes,
          sizes.map((_, n) =>
            n * 5000
          )
        )
        for (let n = 0; n < 5; n++) assert.strictEqual(yield* post("/goaway", n), n)
        assert.isAtMost(pool.unsafeStats().active, 0)
        assert.deepStrictEqual(objections(), [])
      }), 20_000)
  })
}
