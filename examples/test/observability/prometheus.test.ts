import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import { HttpClientLayer } from "@sluice/node"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { execFileSync, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { prometheus } from "../../src/observability/prometheus.js"

const folder = fileURLToPath(new URL("../../observability/", import.meta.url))

const isInstalled = (command: string): boolean => spawnSync(command, ["--version"]).error === undefined

/** Debian's package prometheus has both. */
const installed = isInstalled("promtool") && isInstalled("prometheus")

const fetchText = (url: string) => Effect.promise(() => fetch(url).then((response) => response.text()))

/** The client with its metrics where Prometheus finds them, and a server that does well and badly. */
const setup = Effect.gen(function*() {
  const port = yield* TestServer.unusedPort
  const gate = yield* Gate.make
  yield* Effect.addFinalizer(() => gate.open)
  const server = yield* TestServer.make({
    replies: {
      "/": Reply.text("ok"),
      "/500": Reply.empty({ status: 500 }),
      "/hold": Reply.text("ok", { hold: gate })
    }
  })
  const context = yield* Layer.build(Layer.merge(
    HttpClientLayer.layer({
      name: "example",
      limits: { maxConnections: 2, maxRequestsPerConnection: 3 },
      timeouts: { pool: "50 millis" }
    }),
    prometheus({ port, serviceName: "example" })
  ))
  const client = Context.get(context, HttpClient.HttpClient)
  const get = (path: string) => Effect.ignore(Effect.flatMap(client.get(`${server.url}${path}`), (_) => _.text))
  const dead = yield* TestServer.unusedPort
  const traffic = Effect.all([
    Effect.repeatN(get("/"), 5),
    get("/500"),
    Effect.ignore(client.get(`http://127.0.0.1:${dead}/`)),
    // Two hold the connections, the third gets none.
    Effect.race(
      Effect.all([get("/hold"), get("/hold")], { concurrency: "unbounded" }),
      Effect.zipRight(server.awaitStats(({ activeRequests }) => activeRequests === 2), get("/"))
    )
  ])
  return { traffic, url: `http://127.0.0.1:${port}/metrics` }
})

describe("Prometheus", () => {
  it.scopedLive.skipIf(!installed)("reads what the example shows", () =>
    Effect.gen(function*() {
      const { traffic, url } = yield* setup
      yield* traffic
      const text = yield* fetchText(url)
      const ours = text.split("\n").filter((line) => /^(# \w+ )?(http_client|sluice_client)/.test(line)).join("\n")
      const checked = spawnSync("promtool", ["check", "metrics"], { input: `${ours}\n`, encoding: "utf8" })
      assert.strictEqual(checked.status, 0, checked.stdout + checked.stderr)
      assert.match(ours, /http_client_request_duration_count\{.*http_response_status_code="500".*error_type="500"\} 1/)
      assert.match(ours, /sluice_client_refused_requests_total\{.*error_type="PoolTimeout.busy"\} 1/)
      assert.match(ours, /sluice_client_connection_limit\{.*sluice_pool_name="example"\} 2/)
    }))

  it.skipIf(!installed)("takes the alert rules, and they fire when they should", () => {
    execFileSync("promtool", ["check", "rules", "alerts.yml"], { cwd: folder })
    execFileSync("promtool", ["test", "rules", "alerts.test.yml"], { cwd: folder })
  })

  it.scopedLive.skipIf(!installed)(
    "finds something for every query of the dashboard in a real run",
    () =>
      Effect.gen(function*() {
        const { traffic, url } = yield* setup
        const data = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-prometheus-"))),
          (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
        )
        const port = yield* TestServer.unusedPort
        const config = {
          global: { scrape_interval: "500ms", scrape_timeout: "500ms" },
          scrape_configs: [{ job_name: "example", static_configs: [{ targets: [new URL(url).host] }] }]
        }
        // YAML is a superset of JSON.
        writeFileSync(join(data, "prometheus.yml"), JSON.stringify(config))
        yield* Effect.acquireRelease(
          Effect.sync(() =>
            spawn("prometheus", [
              `--config.file=${join(data, "prometheus.yml")}`,
              `--storage.tsdb.path=${join(data, "data")}`,
              `--web.listen-address=127.0.0.1:${port}`
            ], { stdio: "ignore" })
          ),
          (child) =>
            Effect.async<void>((resume) => {
              child.once("exit", () => resume(Effect.void))
              child.kill("SIGKILL")
            })
        )
        yield* Effect.forkScoped(Effect.forever(Effect.zipRight(traffic, Effect.sleep("100 millis"))))
        const query = (expression: string) =>
          Effect.tryPromise(async () => {
            const response = await fetch(
              `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`
            )
            const { data, error } = await response.json() as { data?: { result: Array<unknown> }; error?: string }
            if (error !== undefined) throw new Error(`${error}: ${expression}`)
            if (data?.result.length === 0) throw new Error(`nothing found for ${expression}`)
            return data?.result
          })
        const { panels } = JSON.parse(readFileSync(join(folder, "dashboard.json"), "utf8")) as {
          readonly panels: ReadonlyArray<
            { readonly title: string; readonly targets: ReadonlyArray<{ readonly expr: string }> }
          >
        }
        assert.isAbove(panels.length, 10)
        for (const { targets, title } of panels) {
          for (const { expr } of targets) {
            const expression = expr.replaceAll("$__rate_interval", "1m").replaceAll("$pool", "example")
            // A rate needs two scrapes of a series that has grown: there is nothing to wait for but them.
            yield* query(expression).pipe(
              Effect.retry({ schedule: Schedule.spaced("250 millis"), times: 100 }),
              Effect.mapError((cause) => new Error(`${title}: ${String(cause.error)}`)),
              Effect.orDie
            )
          }
        }
      }),
    60_000
  )
})
