import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import type { ReceivedRequest } from "../../ReceivedRequest.js"
import type { Breaking, Reply } from "../../Reply.js"
import type { Handler, Replies } from "../../Script.js"
import type { ServerStats } from "../../ServerStats.js"
import * as replies from "../reply.js"
import { replyOf } from "../script.js"
import { start } from "../server.js"
import { Signal } from "../signal.js"
import type { TlsOptions } from "../tls.js"
import type { Address, SocksFaults } from "./socksConnection.js"

export type { Address } from "./socksConnection.js"

/**
 * A running proxy. It uses no Clock of the program under test.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestProxy {
  /** `http://` or, with TLS, `https://`, without a slash at the end. */
  readonly url: string

  /** The same with `socks5://`. */
  readonly socksUrl: string

  readonly host: string

  readonly port: number

  /** The certificate of the authority, as PEM, that signed the proxy's own. Only with TLS. */
  readonly ca: string | undefined

  /** All requests so far. */
  readonly requests: Effect.Effect<ReadonlyArray<ProxyRequest>>

  /** Waits for the first request that is as wanted, among those that have come and those to come. */
  readonly awaitRequest: (predicate: (request: ProxyRequest) => boolean) => Effect.Effect<ProxyRequest>

  /** Connections of clients to the proxy; `openTunnels` and `tunnelsOpened` are the tunnels through it. */
  readonly stats: Effect.Effect<ServerStats>

  readonly awaitStats: (predicate: (stats: ServerStats) => boolean) => Effect.Effect<ServerStats>

  /** Changes what CONNECT gets from now on. */
  readonly connect: (replies: Replies) => Effect.Effect<void>

  /** Changes what requests with an absolute target get from now on. */
  readonly forward: (replies: Replies) => Effect.Effect<void>

  /** Changes what is wrong with the SOCKS5 side from now on. */
  readonly socks: (faults: SocksFaults) => Effect.Effect<void>

  /** Breaks all connections of clients off, tunnels included. Default `"end"`. Returns how many. */
  readonly destroyConnections: (how?: Breaking) => Effect.Effect<number>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The address to listen on. Default `"127.0.0.1"`. */
  readonly host?: string | undefined

  /** Default 0: any free port. */
  readonly port?: number | undefined

  /** TLS to the proxy itself; `true` is with all defaults. Default false. */
  readonly tls?: boolean | TlsOptions | undefined

  /** Who may use the proxy: Basic over HTTP, user and password over SOCKS5. Default: everybody. */
  readonly credentials?: { readonly user: string; readonly password: string } | undefined

  /**
   * Where names lead, by `"host:port"` or `"host"` (an IPv6 address without brackets). Default: to where they say.
   */
  readonly routes?: Readonly<Record<string, Address>> | undefined

  /**
   * What CONNECT gets, as a route of `TestServer` does: any reply, several, or a handler. A `Reply.tunnel` without `to`
   * leads to where the client asks. Default `Reply.tunnel()`.
   */
  readonly connect?: Replies | undefined

  /** What requests with an absolute target get. Default `Reply.forward()`. */
  readonly forward?: Replies | undefined

  /** What is wrong with the SOCKS5 side. Default nothing. */
  readonly socks?: SocksFaults | undefined
}

/**
 * What a client asked of the proxy.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProxyRequest {
  readonly kind: "forward" | "connect" | "socks5"

  /** The number of the connection that brought it, from 0. */
  readonly connection: number

  /** What was asked for, as it was asked: a name is not resolved. IPv6 addresses have no brackets. */
  readonly host: string

  readonly port: number

  readonly addressType: "name" | "ipv4" | "ipv6"

  /** Who it came from, if that was said. */
  readonly user: string | undefined

  /** Whether the credentials were right, or none were needed. */
  readonly authorized: boolean

  /** The header section of an HTTP request; empty for SOCKS5. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
}

/** @param onRequest is called with each as it comes */
export const make = (
  options: Options = {},
  onRequest: (request: ProxyRequest) => void = () => {}
): Effect.Effect<TestProxy, never, Scope.Scope> =>
  Effect.gen(function*() {
    const requests: Array<ProxyRequest> = []
    const changed = new Signal()
    const record = (request: ProxyRequest) => {
      requests.push(request)
      onRequest(request)
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
