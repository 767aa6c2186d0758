import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import type { PooledHttpClient } from "@sluice/core/PooledHttpClient"
import type { TransportError } from "@sluice/core/TransportError"
import * as options from "@sluice/engine/options"
import { HttpClientLayer } from "@sluice/node"
import { TestAuthority } from "@sluice/test-server"
import axios from "axios"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schedule from "effect/Schedule"
import got from "got"
import { readFileSync } from "node:fs"
import * as http from "node:http"
import * as http2 from "node:http2"
import * as https from "node:https"
import type * as net from "node:net"
import { fileURLToPath } from "node:url"
import { Agent, interceptors, request } from "undici"

// The table "Why this, and when not" of the README is held to what each client does.

const readme = readFileSync(fileURLToPath(new URL("../../README.md", import.meta.url)), "utf8")

/** How a client is set up for a row: each by the options of its own. */
interface Settings {
  /** How many connections it may have: over all origins, where it has such a limit. */
  readonly connections?: number
  readonly http2?: boolean
  readonly redirects?: boolean
  readonly retries?: boolean
}

interface Response {
  readonly status: number
  readonly httpVersion: string | undefined
  /** Whether all of the body has come, though nobody asked for it. */
  readonly isWhole: boolean
}

interface Peer {
  readonly name: string
  /** The package that is installed for it. */
  readonly package: string
  readonly open: (settings: Settings) => {
    readonly send: (method: "GET" | "POST", url: string) => Promise<Response>
    readonly close: () => Promise<unknown>
  }
}

let certificate = ""

const overEffect = (
  layer: Layer.Layer<HttpClient.HttpClient, unknown>,
  around: (client: HttpClient.HttpClient) => HttpClient.HttpClient = (client) => client
): ReturnType<Peer["open"]> => {
  const runtime = ManagedRuntime.make(layer)
  return {
    send: (method, url) =>
      runtime.runPromise(Effect.map(
        Effect.flatMap(HttpClient.HttpClient, (client) => around(client).execute(HttpClientRequest.make(method)(url))),
        ({ headers, status }) => ({ status, httpVersion: headers["x-version"], isWhole: false })
      )),
    close: () => runtime.dispose()
  }
}

const peers: ReadonlyArray<Peer> = [
  {
    name: "Sluice",
    package: "@sluice/node",
    open: ({ connections, http2, redirects = false, retries = false }) =>
      overEffect(HttpClientLayer.layer({
        limits: connections === undefined ? {} : { maxConnections: connections },
        timeouts: { pool: "300 millis" },
        http2: http2 ?? true,
        tls: { ca: certificate },
        redirects,
        retry: retries && { base: "1 millis" }
      }))
  },
  {
    name: "undici 7",
    package: "undici",
    open: ({ connections, http2 = false, redirects = false, retries = false }) => {
      const agent = new Agent({
        ...(connections === undefined ? {} : { connections }),
        allowH2: http2,
        connect: { ca: certificate }
      })
      const dispatcher = agent.compose(
        ...(redirects ? [interceptors.redirect({ maxRedirections: 3 })] : []),
        ...(retries ? [interceptors.retry({ minTimeout: 1 })] : [])
      )
      // Every limit that it has: the requests that wait are under none of them.
      const limits = { headersTimeout: 100, bodyTimeout: 100 }
      return {
        send: async (method, url) => {
          const { body, headers, statusCode } = await request(url, {
            method,
            dispatcher,
            ...(url.endsWith("/small") ? limits : {})
          })
          body.on("error", () => {})
          return { status: statusCode, httpVersion: headers["x-version"]?.toString(), isWhole: body.readableEnded }
        },
        close: () => agent.destroy()
      }
    }
  },
  {
    name: "got 14",
    package: "got",
    open: ({ connections, http2 = false, redirects, retries }) => {
      const agent = new http.Agent({ keepAlive: true, maxTotalSockets: connections ?? Infinity })
      return {
        send: async (method, url) => {
          const response = await got(url, {
            method,
            http2,
            agent: http2 ? {} : { http: agent },
            https: { certificateAuthority: certificate },
            throwHttpErrors: false,
            followRedirect: redirects ?? true,
            // What it waits for alone is made shorter, not whether it does.
            retry: retries === false
              ? { limit: 0 }
              : { calculateDelay: ({ computedValue }) => Math.min(computedValue, 1) },
            timeout: url.endsWith("/small") ? { lookup: 100, connect: 100, socket: 100, send: 100, response: 100 } : {}
          })
          return {
            status: response.statusCode,
            httpVersion: response.headers["x-version"]?.toString(),
            isWhole: response.complete
          }
        },
        close: async () => agent.destroy()
      }
    }
  },
  {
    name: "axios 1",
    package: "axios",
    open: ({ connections, http2 = false }) => {
      const httpAgent = new http.Agent({ keepAlive: true, maxTotalSockets: connections ?? Infinity })
      const httpsAgent = new https.Agent({ ca: certificate })
      return {
        send: async (method, url) => {
          const response = await axios.request({
            method,
            url,
            httpAgent,
            ...(http2 ? { httpVersion: 2, http2Options: { ca: certificate } } : { httpsAgent }),
            validateStatus: () => true,
            transformResponse: (body: string) => body
          })
          return {
            status: response.status,
            httpVersion: String(response.headers["x-version"]),
            isWhole: String(response.data).length === Number(response.headers["content-length"])
          }
        },
        close: async () => httpAgent.destroy()
      }
    }
  },
  {
    name: "`layerUndici`",
    package: "@effect/platform-node",
    open: ({ connections, http2 = false, redirects = false, retries = false }) => {
      const agent = new Agent({
        ...(connections === undefined ? {} : { connections }),
        allowH2: http2,
        connect: { ca: certificate }
      })
      const { close, send } = overEffect(
        NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
          Layer.provide(Layer.succeed(NodeHttpClient.Dispatcher, agent))
        ),
        (client) => {
          const following = redirects ? HttpClient.followRedirects(client, 3) : client
          return retries
            ? HttpClient.retryTransient(following, { times: 2, schedule: Schedule.spaced("1 millis") })
            : following
        }
      )
      return { send, close: () => agent.destroy().then(close) }
    }
  }
]

const bodySize = 1024 * 1024

/** What a server was asked, and what it holds. */
interface Server {
  readonly url: string
  /** The paths and methods, in order. */
  readonly seen: Array<string>
  readonly stop: () => void
}

const sleep = (milliseconds: number) => new Promise<undefined>((resume) => setTimeout(resume, milliseconds, undefined))

const respond = (seen: Array<string>) => {
  let failures = 0
  return (request: http.IncomingMessage | http2.Http2ServerRequest, response: http.ServerResponse) => {
    seen.push(`${request.method} ${request.url}`)
    const headers = { "x-version": request.httpVersion, "retry-after": "0" }
    const send = (status: number, body: string, more: http.OutgoingHttpHeaders = {}) => {
      response.writeHead(status, { ...headers, "content-length": body.length, ...more })
      response.end(body)
    }
    switch (request.url) {
      case "/held":
        return
      case "/old":
        return send(302, "", { location: "/small" })
      case "/busy":
        return failures++ % 2 === 0 ? send(503, "") : send(200, "small")
      case "/large":
        return send(200, "x".repeat(bodySize))
      default:
        return send(200, "small")
    }
  }
}

const start = (server: net.Server, scheme: string, seen: Array<string>) =>
  new Promise<Server>((resume) =>
    server.listen(0, "127.0.0.1", () => {
      const sockets = new Set<net.Socket>()
      server.on("connection", (socket: net.Socket) => sockets.add(socket.on("error", () => {})))
      resume({
        url: `${scheme}://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
        seen,
        stop: () => {
          server.close()
          for (const socket of sockets) socket.destroy()
        }
      })
    })
  )

const clear = () => {
  const seen: Array<string> = []
  return start(http.createServer(respond(seen)), "http", seen)
}

let identity: http2.SecureServerOptions = {}

/** Speaks HTTP/2 with those that offer it. */
const secure = () => {
  const seen: Array<string> = []
  const server = http2.createSecureServer({ ...identity, allowHTTP1: true })
  server.on("request", respond(seen) as never)
  return start(server, "https", seen)
}

/** The cell of a client, by what it was seen to do. Nothing is waited for longer than `patience`, in milliseconds. */
type Row = (peer: Peer, patience: number) => Promise<string>

const manifest = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), "utf8"))

/** What a client does with one server, or with two, and no longer. */
const using = async <A>(
  peer: Peer,
  settings: Settings,
  servers: ReadonlyArray<() => Promise<Server>>,
  use: (send: (method: "GET" | "POST", url: string) => Promise<Response>, servers: ReadonlyArray<Server>) => Promise<A>
): Promise<A> => {
  const started = await Promise.all(servers.map((make) => make()))
  const client = peer.open(settings)
  try {
    return await use((method, url) => {
      const sent = client.send(method, url)
      // Those that are still under way at the end fail then.
      sent.catch(() => {})
      return sent
    }, started)
  } finally {
    await client.close().catch(() => {})
    for (const { stop } of started) stop()
  }
}

const until = async (holds: () => boolean, patience: number) => {
  for (const end = performance.now() + patience; !holds() && performance.now() < end;) await sleep(5)
  return holds()
}

const rows: Readonly<Record<string, Row>> = {
  "needs Effect": async ({ package: name }) => "effect" in Object(manifest(name)["peerDependencies"]) ? "yes" : "no",

  "runs in browsers": async ({ package: name }) => "browser" in manifest(name) ? "yes" : "no",

  "limit of connections over all origins": (peer, patience) =>
    using(peer, { connections: 1 }, [clear, clear], async (send, servers) => {
      for (const { url } of servers) send("GET", `${url}/held`).catch(() => {})
      const both = await until(() => servers.every(({ seen }) => seen.length > 0), patience)
      if (both) return "no, of each origin"
      return peer.name === "Sluice" ? "`maxConnections`, 100" : "Node's `Agent`"
    }),

  "limit of the wait for a connection": (peer, patience) =>
    using(peer, { connections: 1 }, [clear], async (send, [{ seen, url }]) => {
      send("GET", `${url}/held`).catch(() => {})
      assert.isTrue(await until(() => seen.length > 0, 8000))
      const failed = await Promise.race([send("GET", `${url}/small`).catch(String), sleep(patience)])
      return failed === undefined ? "no" : "`timeouts.pool`, 5 s"
    }),

  "large body that nobody reads": (peer, patience) =>
    using(peer, { connections: 1 }, [clear], async (send, [{ url }]) => {
      if ((await send("GET", `${url}/large`)).isWhole) return "is read as a whole"
      const second = await Promise.race([send("GET", `${url}/small`), sleep(patience)])
      return second === undefined ? "holds its connection" : "makes way for a waiter"
    }),

  "HTTP/2": async (peer) => {
    const version = (settings: Settings) =>
      using(peer, settings, [secure], async (send, [{ url }]) => (await send("GET", `${url}/small`)).httpVersion)
    if (await version({}) === "2.0") return "on, where the server has it"
    return await version({ http2: true }) === "2.0" ? "option" : "no"
  },

  redirects: async (peer) => {
    const status = (settings: Settings) =>
      using(peer, settings, [clear], async (send, [{ url }]) => (await send("GET", `${url}/old`)).status)
    if (await status({}) === 200) return "on"
    return await status({ redirects: true }) === 200 ? named(peer, "`followRedirects`") : "no"
  },

  retries: async (peer) => {
    const count = (settings: Settings, method: "GET" | "POST") =>
      using(peer, settings, [clear], async (send, [{ seen, url }]) => {
        await send(method, `${url}/busy`).catch(() => {})
        return seen.length
      })
    if (await count({}, "GET") === 2) return await count({}, "POST") === 1 ? "on, for idempotent methods" : "on"
    if (await count({ retries: true }, "GET") === 1) return "no"
    return named(peer, "`retryTransient`", ", what is safe")
  },

  // See `types` below.
  "errors in the types": async ({ name }) => name === "Sluice" ? "one by one" : name === "`layerUndici`" ? "two" : "no"
}

/** How an option is given, where it is off by itself. */
const named = ({ name }: Peer, combinator: string, more = "") =>
  name === "`layerUndici`" ? combinator : name === "Sluice" ? `option${more}` : "interceptor"

type Equals<A, B> = [A] extends [B] ? [B] extends [A] ? true : false : false
type ErrorOf<F> = F extends (...args: never) => Effect.Effect<unknown, infer E, unknown> ? E : never

/** The compiler holds these. A Promise has no type of errors. */
export const types: {
  readonly oneByOne: Equals<ErrorOf<PooledHttpClient["execute"]>, TransportError>
  readonly two: Equals<ErrorOf<HttpClient.HttpClient["execute"]>["_tag"], "RequestError" | "ResponseError">
} = { oneByOne: true, two: true }

/** What these cells say shows by nothing happening. */
const quiet = new Set(["no", "holds its connection", "`maxConnections`, 100", "Node's `Agent`"])

/** The cells of a table of the README, line by line. */
const tableOf = (firstHead: string): ReadonlyArray<ReadonlyArray<string>> => {
  const from = readme.indexOf(`\n| ${firstHead} |`) + 1
  return readme.slice(from, readme.indexOf("\n\n", from)).split("\n")
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.replaceAll("\u00a0", " ").trim()))
}

describe("the comparison of the README", () => {
  beforeAll(async () => {
    const authority = await Effect.runPromise(TestAuthority.make())
    const { certificate: cert, key } = await Effect.runPromise(authority.issue())
    certificate = authority.certificate
    identity = { cert, key }
  })

  const table = tableOf("what")

  it("is of these clients, and has a test for each row", () => {
    assert.deepStrictEqual(table[0].slice(1), peers.map(({ name }) => name))
    assert.deepStrictEqual(table.slice(2).map(([what]) => what), Object.keys(rows))
  })

  for (const [what, ...cells] of table.slice(2)) {
    it(what, async () => {
      const found = await Promise.all(
        peers.map((peer, column) => rows[what](peer, quiet.has(cells[column]) ? 300 : 8000))
      )
      assert.deepStrictEqual(found, cells)
    })
  }
})

describe("the defaults of the README", () => {
  const { limits, timeouts } = options.layer.fields

  for (const [head, { fields }] of [["`limits.`", limits], ["`timeouts.`", timeouts]] as const) {
    it(head, () => {
      const found = tableOf(head).slice(2).map((
        [name, value]
      ) => [name.replaceAll("`", ""), value.replaceAll(/[`"]/g, "")])
      const written = Object.entries(fields).map(([name, option]) => [
        name,
        option.unit === "duration" && option.default !== Infinity
          ? `${Number(option.default) / 1000} seconds`
          : String(option.default)
      ])
      assert.deepStrictEqual(Object.fromEntries(found), Object.fromEntries(written))
    })
  }
})
