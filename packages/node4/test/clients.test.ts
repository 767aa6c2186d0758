/**
 * The clients of Effect 4 that are made of an `HttpClient`, over this one: HttpApiClient, RpcClient, the OTLP exporter, MCP,
 * and a language model's stream of events. Their servers are Effect's own, behind Node's.
 */
import * as McpClient from "effect/ai/McpClient"
import * as McpProtocol from "effect/ai/McpProtocol"
import * as McpServer from "effect/ai/McpServer"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Sse from "effect/encoding/Sse"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Otlp from "effect/observability/Otlp"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as http from "node:http"
import { Readable } from "node:stream"
import { gunzipSync } from "node:zlib"
import { assert, describe } from "vitest"
import { live, until } from "./support/it.js"
import { atRest, build, listening, serve } from "./support/world.js"

type WebHandler = (request: Request) => Promise<Response>

/** What speaks the web's Request and Response, behind a server of Node's. A response that nobody wants any more is cancelled. */
const web = (handler: WebHandler) =>
  serve((request, response) => {
    const url = `http://${request.headers.host}${request.url}`
    const hasBody = request.method !== "GET" && request.method !== "HEAD"
    const controller = new AbortController()
    response.on("close", () => controller.abort())
    const sent = new Request(url, {
      method: request.method ?? "GET",
      headers: Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)]),
      body: hasBody ? Readable.toWeb(request) as ReadableStream : null,
      signal: controller.signal,
      ...(hasBody ? { duplex: "half" } : {})
    } as RequestInit)
    void handler(sent).then(async (reply) => {
      response.writeHead(reply.status, [...reply.headers].flat())
      if (reply.body === null) return response.end()
      const body = Readable.fromWeb(reply.body as never)
      body.on("error", () => {})
      response.on("close", () => body.destroy())
      return body.pipe(response)
    })
  })

const routes = <A, E, R>(layer: Layer.Layer<A, E, R>) =>
  Effect.gen(function*() {
    const { dispose, handler } = HttpRouter.toWebHandler(
      layer.pipe(Layer.provideMerge(HttpServer.layerServices)) as unknown as Layer.Layer<A, E, HttpRouter.HttpRouter>,
      { disableLogger: true }
    )
    yield* Effect.addFinalizer(() => Effect.promise(dispose))
    return yield* web(handler as WebHandler)
  })

/** The layer's client, for what asks for it by its tag. */
const withClient = <A, E, R>(effect: Effect.Effect<A, E, R>, client: HttpClient.HttpClient) =>
  Effect.provideService(effect, HttpClient.HttpClient, client)

const User = Schema.Struct({ id: Schema.Number, name: Schema.String })

class NoUser extends Schema.Error<NoUser>("NoUser")({ _tag: Schema.tag("NoUser"), id: Schema.Number }, {
  httpApiStatus: 404
}) {}

describe("HttpApiClient of Effect 4", () => {
  const Api = HttpApi.make("api").add(
    HttpApiGroup.make("users").add(
      HttpApiEndpoint.get("get", "/users/:id", {
        params: { id: Schema.NumberFromString },
        success: User,
        error: NoUser
      }),
      HttpApiEndpoint.post("create", "/users", { payload: Schema.Struct({ name: Schema.String }), success: User }),
      HttpApiEndpoint.get("list", "/users", {
        query: { prefix: Schema.optional(Schema.String) },
        success: HttpApiSchema.StreamNdjson({ schema: User })
      })
    )
  )

  const Users = HttpApiBuilder.group(Api, "users", (handlers) =>
    handlers
      .handle("get", ({ params: { id } }) =>
        id > 9 ? Effect.fail(new NoUser({ id })) : Effect.succeed({ id, name: "Ada" }))
      .handle("create", ({ payload: { name } }) =>
        Effect.succeed({ id: 1, name }))
      .handle("list", ({ query: { prefix = "" } }) =>
        Effect.succeed(Stream.range(1, 3).pipe(Stream.map((id) => ({ id, name: `${prefix}${id}` }))))))

  live("calls endpoints, decodes their errors, and streams", () =>
    Effect.gen(function*() {
      const baseUrl = yield* routes(HttpApiBuilder.layer(Api).pipe(Layer.provide(Users)))
      const { client, pool } = yield* build()
      const api = yield* withClient(HttpApiClient.make(Api, { baseUrl }), client)
      assert.deepStrictEqual(yield* api.users.get({ params: { id: 1 } }), { id: 1, name: "Ada" })
      assert.deepStrictEqual(yield* api.users.create({ payload: { name: "Grace" } }), { id: 1, name: "Grace" })
      const error = yield* Effect.flip(api.users.get({ params: { id: 10 } }))
      assert.strictEqual(error._tag, "NoUser")
      const users = yield* Stream.runCollect(yield* api.users.list({ query: { prefix: "user " } }))
      assert.deepStrictEqual(users.map(({ name }) => name), ["user 1", "user 2", "user 3"])
      yield* atRest(pool)
    }))

  live("upgrades: the connection is the pool's, handed over", () =>
    Effect.gen(function*() {
      const Attach = HttpApi.make("docker").add(
        HttpApiGroup.make("exec").add(
          HttpApiEndpoint.post("start", "/exec/:id/start", {
            params: { id: Schema.String },
            success: [HttpApiSchema.Upgrade({ protocol: "tcp" }), HttpApiSchema.Empty(200)]
          })
        )
      )
      const baseUrl = yield* listening(() =>
        http.createServer((_, response) => response.end()).on("upgrade", (_, socket) => {
          socket.on("error", () => {})
          socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: tcp\r\n\r\n")
          socket.pipe(socket)
        })
      )
      const { client, pool } = yield* build()
      const api = yield* withClient(HttpApiClient.make(Attach, { baseUrl }), client)
      yield* Effect.scoped(Effect.gen(function*() {
        const result = yield* api.exec.start({ params: { id: "abc" } })
        if (!HttpApiClient.isUpgraded(result)) return assert.fail("it was not upgraded")
        const { pull } = yield* result.socket.reader
        yield* (yield* result.socket.writer).write("ls")
        assert.strictEqual(Buffer.from((yield* pull)[0] as Uint8Array).toString(), "ls")
      }))
      yield* atRest(pool)
    }))
})

describe("RpcClient of Effect 4", () => {
  const Group = RpcGroup.make(
    Rpc.make("Double", { payload: { n: Schema.Number }, success: Schema.Number }),
    Rpc.make("Fail", { error: Schema.String }),
    Rpc.make("Count", { payload: { to: Schema.Number }, success: Schema.Number, stream: true }),
    Rpc.make("Never", {})
  )
  let started = 0
  let interrupted = 0
  const Handlers = Group.toLayer({
    Double: ({ n }) => Effect.succeed(n * 2),
    Fail: () => Effect.fail("no"),
    Count: ({ to }) => Stream.range(1, to),
    Never: () =>
      Effect.suspend(() => {
        started++
        return Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
      })
  })

  for (
    const [name, serialization] of [["ndjson", RpcSerialization.layerNdjson], [
      "json",
      RpcSerialization.layerJson
    ]] as const
  ) {
    live(`calls, fails, streams and interrupts, by ${name}`, () =>
      Effect.gen(function*() {
        const url = yield* routes(
          RpcServer.layerHttp({ group: Group, path: "/rpc", protocol: "http" }).pipe(
            Layer.provide(Handlers),
            Layer.provide(serialization)
          )
        )
        const { client, pool } = yield* build()
        const protocol = RpcClient.layerProtocolHttp({ url: `${url}/rpc` }).pipe(
          Layer.provide(serialization),
          Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
        )
        yield* Effect.scoped(
          Effect.gen(function*() {
            const rpc = yield* RpcClient.make(Group)
            const doubled = yield* Effect.forEach([1, 2, 3, 4, 5], (n) => rpc.Double({ n }), {
              concurrency: "unbounded"
            })
            assert.deepStrictEqual(doubled, [2, 4, 6, 8, 10])
            assert.strictEqual(yield* Effect.flip(rpc.Fail()), "no")
            const counted = yield* Stream.runCollect(rpc.Count({ to: 50 }))
            assert.strictEqual(counted.length, 50)
            const waiting = yield* Effect.forkChild(rpc.Never())
            const before = interrupted
            yield* until(() => started > before)
            yield* Fiber.interrupt(waiting)
            yield* until(() => interrupted > before)
          }).pipe(Effect.provide(protocol))
        )
        yield* atRest(pool)
      }))
  }
})

describe("the OTLP exporter of Effect 4", () => {
  live(
    "sends spans, logs and metrics by this client, and none of its own requests make spans",
    () =>
      Effect.gen(function*() {
        const received: Array<[string, unknown]> = []
        const url = yield* serve((request, response) => {
          const parts: Array<Buffer> = []
          request.on("data", (part) => parts.push(part)).on("end", () => {
            const body = Buffer.concat(parts)
            const plain = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body
            if (body.length > 0) received.push([request.url ?? "", JSON.parse(plain.toString())])
            response.setHeader("content-type", "application/json")
            response.end("{}")
          })
        })
        const { client, pool } = yield* build({ name: "otlp" })
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(
          Otlp.layerJson({
            baseUrl: url,
            resource: { serviceName: "test" },
            compression: "gzip",
            loggerMergeWithExisting: false
          }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, client))),
          scope
        )
        yield* Effect.gen(function*() {
          yield* Metric.update(Metric.counter("test_count"), 3)
          yield* Effect.log("a line")
          yield* client.get(`${url}/in-a-span`).pipe(Effect.ignore)
        }).pipe(Effect.withSpan("outer"), Effect.provide(context))
        yield* Scope.close(scope, Exit.void)
        yield* atRest(pool)
        const sent = (path: string) =>
          received.filter(([url]) => url === path).map(([, body]) => JSON.stringify(body)).join()
        const traces = sent("/v1/traces")
        assert.include(traces, "\"outer\"")
        assert.include(traces, "/in-a-span")
        assert.notInclude(traces, "/v1/traces")
        assert.include(sent("/v1/logs"), "a line")
        assert.include(sent("/v1/metrics"), "test_count")
      })
  )
})

describe("effect/ai", () => {
  live("McpClient lists tools and calls them", () =>
    Effect.gen(function*() {
      const Tools = Toolkit.make(Tool.make("Greet", {
        parameters: Schema.Struct({ name: Schema.String }),
        success: Schema.String
      }))
      const url = yield* routes(
        McpServer.layerHttp({
          name: "server",
          version: "1.0.0",
          path: "/mcp",
          protocols: [McpProtocol.v2026_07_28, McpProtocol.v2025_11_25],
          registrations: McpServer.toolkit(Tools).pipe(
            Layer.provide(Tools.toLayer({ Greet: ({ name }) => Effect.succeed(`hello ${name}`) }))
          )
        })
      )
      const { client, pool } = yield* build()
      for (const protocol of [McpProtocol.v2026_07_28, McpProtocol.v2025_11_25]) {
        yield* Effect.scoped(Effect.gen(function*() {
          const context = yield* Layer.build(
            McpClient.layerHttp({ name: "test", version: "1.0.0", url: `${url}/mcp`, protocol }).pipe(
              Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
            )
          )
          const mcp = Context.get(context, McpClient.McpClient)
          const [tool] = yield* mcp.listTools()
          assert.strictEqual(tool.name, "Greet")
          const result = yield* mcp.callTool({ tool, arguments: { name: "Ada" } })
          assert.include(JSON.stringify(result), "hello Ada")
        }))
      }
      yield* atRest(pool)
    }))

  live(
    "a model's stream of events, as the clients of providers read it, and left in the middle",
    () =>
      Effect.gen(function*() {
        let left = 0
        const url = yield* serve((request, response) => {
          response.on("close", () => left++)
          response.setHeader("content-type", "text/event-stream")
          const words = ["Hel", "lo ", "wor", "ld"]
          for (const delta of words) response.write(`event: delta\ndata: ${JSON.stringify({ delta })}\n\n`)
          if (request.url === "/whole") response.end("event: done\ndata: {\"delta\":\"\"}\n\n")
        })
        const { client, pool } = yield* build()
        const deltas = (path: string) =>
          HttpClientRequest.post(`${url}${path}`).pipe(
            HttpClientRequest.bodyJsonUnsafe({ stream: true }),
            HttpClient.filterStatusOk(client).execute,
            Effect.map((response) => response.stream),
            Stream.unwrap,
            Stream.decodeText,
            Stream.pipeThroughChannel(Sse.decodeDataSchema(Schema.Struct({ delta: Schema.String }))),
            Stream.map(({ data }) => data.delta)
          )
        assert.strictEqual(yield* Stream.mkString(deltas("/whole")), "Hello world")
        assert.strictEqual(yield* Stream.mkString(Stream.take(deltas("/endless"), 2)), "Hello ")
        yield* until(() => left === 2)
        yield* atRest(pool)
      })
  )
})
