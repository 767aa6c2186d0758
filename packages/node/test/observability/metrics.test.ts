import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Redirects from "@sluice/core/Redirects"
import * as Retry from "@sluice/core/Retry"
import { Gate, Reply, TestServer } from "@sluice/test-server"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as TestClock from "effect/TestClock"
import { failure, makeClient, until } from "../client/support.js"
import { lookupOf } from "../network/support.js"
import { measured, metricsOf } from "./measured.js"

const duration = "http.client.request.duration"

describe("metrics", () => {
  it.scoped("every request is in the duration, by method, server, status, version and error", () =>
    Effect.gen(function*() {
      const name = "durations"
      const server = yield* TestServer.make({
        replies: {
          "/": Reply.text("ok"),
          "/500": Reply.empty({ status: 500 }),
          "/404": Reply.empty({ status: 404 }),
          "/never": Reply.never,
          "/reset": Reply.disconnect("end")
        }
      })
      const { client, pool } = yield* makeClient({ name, timeouts: { read: "5 seconds" } })
      const get = (path: string) => client.get(`${server.url}${path}`)
      yield* (yield* get("/")).text
      yield* (yield* get("/")).text
      yield* (yield* client.execute(HttpClientRequest.make("PURGE" as never)(`${server.url}/`))).text
      yield* get("/500")
      yield* client.post(`${server.url}/404`)
      yield* failure(get("/reset"))
      const never = yield* Effect.fork(failure(get("/never")))
      yield* server.awaitRequest(({ path }) => path === "/never")
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(never)
      const given = yield* Effect.fork(get("/never"))
      yield* until(() => pool.unsafeStats().active > 0)
      yield* Fiber.interrupt(given)
      const all = metricsOf(name).filter((_) => _.name === duration)
      assert.deepStrictEqual(new Set(all.map(({ unit }) => unit)), new Set(["s"]))
      const shown = Object.fromEntries(
        all.map(({ attributes: { "server.address": address, "server.port": port, ...rest }, value }) => {
          assert.deepStrictEqual([address, port], ["127.0.0.1", String(server.port)])
          return [Object.values(rest).join(" "), value]
        })
      )
      for (
        const [attributes, count] of [
          ["GET 200 1.1", 2],
          ["_OTHER 200 1.1", 1],
          ["GET 500 1.1 500", 1],
          ["POST 404 1.1 404", 1],
          ["GET 1.1 ReadError", 1],
          ["GET 1.1 ReadTimeout", 1],
          ["GET 1.1 cancelled", 1]
        ] as const
      ) {
        const names = attributes.split(" ").sort().join(" ")
        const found = Object.entries(shown).find(([key]) => key.split(" ").sort().join(" ") === names)
        assert.strictEqual(found?.[1], count, `${attributes} in ${JSON.stringify(shown)}`)
      }
      // In seconds.
      const timedOut = all.find(({ attributes }) => attributes["error.type"] === "ReadTimeout")
      assert.strictEqual(timedOut?.sum, 5)
    }))

  it.scoped("a response that breaks off after its head is an error with a status", () =>
    Effect.gen(function*() {
      const name = "brokenBodies"
      const gate = yield* Gate.make
      const server = yield* TestServer.make({
        replies: { "/": Reply.raw(["HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello", gate], { close: true }) }
      })
      const { client } = yield* makeClient({ name })
      const response = yield* client.get(`${server.url}/`)
      yield* gate.open
      yield* failure(response.text)
      assert.strictEqual(
        measured(name, duration, { "http.response.status_code": "200", "error.type": "ReadError" }),
        1
      )
    }))

  it.scoped("connections, their limit and what waits are levels, read when somebody asks", () =>
    Effect.gen(function*() {
      const name = "levels"
      const gate = yield* Gate.make
      yield* Effect.addFinalizer(() => gate.open)
      const server = yield* TestServer.make({
        replies: { "/": Reply.text("ok"), "/hold": Reply.text("ok", { hold: gate }) }
      })
      const { client, pool } = yield* makeClient({
        name,
        limits: { maxConnections: 2 },
        timeouts: { pool: "5 seconds" }
      })
      const to = { "server.address": "127.0.0.1", "server.port": String(server.port) }
      yield* Effect.forkScoped(client.get(`${server.url}/hold`))
      yield* Effect.forkScoped(client.get(`${server.url}/hold`))
      yield* gate.awaitHeld(2)
      const refused = yield* Effect.fork(failure(client.get(`${server.url}/`)))
      yield* until(() => pool.unsafeStats().waiting === 1)
      assert.strictEqual(
        measured(name, "http.client.open_connections", { ...to, "http.connection.state": "active" }),
        2
      )
      assert.strictEqual(measured(name, "http.client.active_requests", to), 2)
      assert.strictEqual(measured(name, "sluice.client.pending_requests", to), 1)
      assert.strictEqual(measured(name, "sluice.client.connection.limit"), 2)
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(refused)
      assert.strictEqual(measured(name, "sluice.client.refused_requests", { "error.type": "PoolTimeout.busy" }), 1)
      yield* gate.open
      yield* until(() => pool.unsafeStats().idle === 2)
      assert.strictEqual(measured(name, "http.client.open_connections", { ...to, "http.connection.state": "idle" }), 2)
      assert.strictEqual(measured(name, "sluice.client.pending_requests", to), 0)
    }))

  it.scoped("dials that fail are told apart: no name server, nobody listens, TLS, limits of this process", () =>
    Effect.gen(function*() {
      const name = "dials"
      const fails = (code: string) => ({
        lookup: ((_host: string, _options: unknown, callback: (error: Error) => void) =>
          callback(Object.assign(new Error(code), { code }))) as never
      })
      const port = yield* TestServer.unusedPort
      const tls = yield* TestServer.make({ tls: { certificate: "expired" } })
      const cases = [
        [fails("EAI_AGAIN"), "http://a.test/", "ConnectError.NameServer"],
        [fails("ENOTFOUND"), "http://a.test/", "ConnectError.UnknownHost"],
        [fails("EMFILE"), "http://a.test/", "ConnectError.ProcessLimit"],
        [{ lookup: lookupOf(["127.0.0.1"]) }, `http://a.test:${port}/`, "ConnectError.Refused"],
        [{ tls: { ca: tls.ca! } }, `${tls.url}/`, "TlsError.Expired"]
      ] as const
      for (const [options, url, type] of cases) {
        const { client } = yield* makeClient({ name, ...options })
        yield* failure(client.get(url))
        assert.strictEqual(measured(name, "sluice.client.failed_dials", { "error.type": type }), 1, type)
      }
      // And of the requests that wanted them.
      assert.strictEqual(measured(name, duration, { "error.type": "ConnectError" }), 4)
      assert.strictEqual(measured(name, duration, { "error.type": "TlsError" }), 1)
    }))

  it.scoped("pools are told apart by name, also those without; of one name they add up", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok") } })
      const [one, two, same, again] = yield* Effect.all([
        makeClient(),
        makeClient(),
        makeClient({ name: "same" }),
        makeClient({ name: "same" })
      ])
      for (const { client } of [one, one, two, same, again]) yield* (yield* client.get(`${server.url}/`)).text
      const to = { "server.port": String(server.port) }
      assert.deepStrictEqual(
        ["default", "default-2", "same"].map((name) => measured(name, duration, to)),
        [2, 1, 2]
      )
      assert.strictEqual(
        measured("same", "http.client.open_connections", { ...to, "http.connection.state": "idle" }),
        2
      )
      assert.strictEqual(measured("same", "sluice.client.connection.limit"), 200)
    }))

  it.scoped("metrics: false counts nothing", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok") } })
      const { client } = yield* makeClient({ name: "off", metrics: false })
      yield* (yield* client.get(`${server.url}/`)).text
      yield* failure(client.get("http://127.0.0.1:1/"))
      assert.deepStrictEqual(metricsOf("off"), [])
    }))

  it.scoped("a crawler that asks thousands of hosts does not fill the registry", () =>
    Effect.gen(function*() {
      const name = "crawler"
      const server = yield* TestServer.make({ replies: { "/": Reply.text("ok") } })
      const { client } = yield* makeClient({
        name,
        lookup: lookupOf(["127.0.0.1"]),
        limits: { maxKeepAliveConnections: 0 }
      })
      const before = Metric.unsafeSnapshot().length
      const hosts = 1500
      yield* Effect.forEach(
        Array.from({ length: hosts }, (_, n) => n),
        (n) => Effect.flatMap(client.get(`http://host${n}.test:${server.port}/`), (response) => response.text),
        { concurrency: 20, discard: true }
      )
      assert.isBelow(Metric.unsafeSnapshot().length - before, 1100)
      // Nothing is lost: what has no name of its own is counted together.
      assert.strictEqual(
        Metric.unsafeSnapshot().flatMap(({ metricKey, metricState }) =>
          metricKey.name === duration && "count" in (metricState as object) &&
            metricKey.tags.some(({ value }) => value === "other" || /^host\d+\.test$/.test(value))
            ? [(metricState as unknown as { count: number }).count]
            : []
        ).reduce((sum, count) => sum + count, 0),
        hosts
      )
    }), 60_000)
})

describe("what goes around a client", () => {
  it.scoped("counts retries, those that the budget forbids, and redirects", () =>
    Effect.gen(function*() {
      const server = yield* TestServer.make({
        replies: {
          "/503": Reply.empty({ status: 503, headers: { "retry-after": "0" } }),
          "/old": Reply.empty({ status: 302, headers: { location: "/" } }),
          "/": Reply.text("ok")
        }
      })
      const { client } = yield* makeClient()
      const counted = (name: string, outcome?: string) =>
        Metric.unsafeSnapshot().flatMap(({ metricKey, metricState }) =>
          metricKey.name === name && (outcome === undefined || metricKey.tags.some(({ value }) => value === outcome))
            ? [Number((metricState as unknown as { count: number }).count)]
            : []
        ).reduce((sum, count) => sum + count, 0)
      const before = [
        counted("sluice.client.retries", "sent"),
        counted("sluice.client.retries", "no_budget"),
        counted("sluice.client.redirects")
      ]
      const budget = Retry.makeBudget({ ratio: 0, reserve: 1 })
      yield* Retry.safely(client, { times: 5, budget }).get(`${server.url}/503`)
      yield* Redirects.follow(client).get(`${server.url}/old`)
      assert.deepStrictEqual([
        counted("sluice.client.retries", "sent") - before[0],
        counted("sluice.client.retries", "no_budget") - before[1],
        counted("sluice.client.redirects") - before[2]
      ], [1, 1, 1])
      const [retry] = Metric.unsafeSnapshot().filter(({ metricKey }) => metricKey.name === "sluice.client.retries")
      assert.isTrue(retry.metricKey.tags.some(({ key, value }) => key === "error.type" && value === "503"))
    }))
})
