import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import type { ReceivedRequest } from "../../ReceivedRequest.js"
import type { Reply } from "../../Reply.js"
import type { Handler, Replies } from "../../Script.js"
import type { Address, Options, ProxyRequest, SocksFaults, TestProxy } from "../../TestProxy.js"
import * as replies from "../reply.js"
import { replyOf } from "../script.js"
import { start } from "../server.js"
import { Signal } from "../signal.js"

export const make = (options: Options = {}): Effect.Effect<TestProxy, never, Scope.Scope> =>
  Effect.gen(function*() {
    const requests: Array<ProxyRequest> = []
    const changed = new Signal()
    const record = (request: ProxyRequest) => {
      requests.push(request)
      changed.notify()
    }
    const { credentials } = options
    const resolve = ({ host, port }: Address): Address => {
      const to = options.routes?.[`${host}:${port}`] ?? options.routes?.[host] ?? { host, port }
      return { host: to.host, port: to.port }
    }
    let faults: SocksFaults = options.socks ?? {}

    /** What a request gets once the proxy knows who asks for what. */
    const handler = (kind: "connect" | "forward", given: Replies): Handler => (request, { count }) => {
      const asked = kind === "connect" ? authority(request.target) : absolute(request.target)
      if (asked === undefined) return replies.text("This is a proxy.\n", { status: 400 })
      const said = basic(request.header("proxy-authorization"))
      const authorized = credentials === undefined ||
        (said?.user === credentials.user && said.password === credentials.password)
      record({
        kind,
        connection: request.connection,
        ...asked,
        addressType: typeOf(asked.host),
        user: said?.user,
        authorized,
        headers: request.headers
      })
      if (!authorized) return unauthorized
      const to = resolve(asked)
      const reply = replyOf(given, request, count)
      return Effect.isEffect(reply) ? Effect.map(reply, (reply) => leading(reply, to)) : leading(reply, to)
    }

    const server = yield* Effect.orDie(start(
      { host: options.host, port: options.port, tls: options.tls, halfOpen: true },
      {
        credentials,
        get faults() {
          return faults
        },
        resolve,
        onRequest: ({ host, port, type }, connection, user) =>
          record({ kind: "socks5", connection, host, port, addressType: type, user, authorized: true, headers: [] })
      }
    ))
    const connect = (given: Replies) => server.reply("CONNECT *", handler("connect", given))
    const forward = (given: Replies) => server.reply("*", handler("forward", given), { early: true })
    yield* connect(options.connect ?? replies.tunnel())
    yield* forward(options.forward ?? replies.forward())
    return {
      url: server.url,
      socksUrl: server.url.replace(/^https?/, "socks5"),
      host: server.host,
      port: server.port,
      ca: server.ca,
      requests: Effect.sync(() => [...requests]),
      awaitRequest: (predicate) => changed.until(() => requests.find(predicate)),
      stats: server.stats,
      awaitStats: server.awaitStats,
      connect,
      forward,
      socks: (given) =>
        Effect.sync(() => {
          faults = given
        }),
      destroyConnections: server.destroyConnections
    }
  })

const unauthorized = replies.text("Who are you?\n", {
  status: 407,
  headers: { "proxy-authenticate": "Basic realm=\"test\"" }
})

/** A reply that leads somewhere leads to where the client asks, unless the script says where. */
const leading = (reply: Reply, to: Address): Reply => {
  switch (reply._tag) {
    case "Tunnel":
      return replies.tunnel({ to, ...reply.options })
    case "Forward":
      return replies.forward({ to, ...reply.options })
    default:
      return reply
  }
}

const authority = (target: ReceivedRequest["target"]): Address | undefined => {
  const found = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(target)
  return found === null ? undefined : { host: found[1] ?? found[2], port: Number(found[3]) }
}

const absolute = (target: ReceivedRequest["target"]): Address | undefined => {
  if (!/^http:\/\//i.test(target) || !URL.canParse(target)) return undefined
  const { hostname, port } = new URL(target)
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 80) }
}

const typeOf = (host: string): ProxyRequest["addressType"] => {
  const version = net.isIP(host)
  return version === 4 ? "ipv4" : version === 6 ? "ipv6" : "name"
}

const basic = (field: string | undefined): { readonly user: string; readonly password: string } | undefined => {
  const encoded = /^basic +(\S+)$/i.exec(field ?? "")?.[1]
  if (encoded === undefined) return undefined
  const [user, ...password] = Buffer.from(encoded, "base64").toString("utf8").split(":")
  return { user, password: password.join(":") }
}

export const layer = (tag: Context.Tag<TestProxy, TestProxy>) => (options?: Options): Layer.Layer<TestProxy> =>
  Layer.scoped(tag, make(options))
