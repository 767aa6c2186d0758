import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import type { Reply } from "../../Reply.js"
import * as proxy from "../proxy/proxy.js"
import * as replies from "../reply.js"
import {
  addressOf,
  type Command,
  hostOf,
  type Listening,
  listening,
  portOf,
  read,
  type Securing,
  securing,
  tlsOf,
  trustOf,
  version,
  writeAuthority
} from "./arguments.js"
import { CommandError } from "./CommandError.js"
import { listenedOn } from "./listenedOn.js"

const usage = `A proxy to try clients with: HTTP, CONNECT and SOCKS 5 on one port.

Usage: sluice-test-server proxy [options]

  -p, --port <number> the port to listen on, 0 for any free one (default 3128)
  --host <address>    the address to listen on (default 127.0.0.1)
  --tls               TLS to the proxy itself, with --ca, --cert and --key as the server has them
  --user <name:password>
                      who may use it: Basic over HTTP, user and password over SOCKS 5
  --route <name=host:port>
                      where a name leads, instead of to where it says; may be given several times
  --fault <what>      what a client gets that asks for a tunnel or a page, instead of that:
                      refuse (403), unauthorized (407), silence, end, reset, garbage
  --quiet             no line for each request
  -h, --help          this text
  --version           the version`

/** What is wrong with the proxy, for HTTP and for SOCKS 5. */
const faults: Readonly<Record<string, { readonly reply: Reply; readonly socks: proxy.Options["socks"] }>> = {
  refuse: {
    reply: replies.text("This proxy does not want to.\n", { status: 403 }),
    // Connection not allowed by ruleset (RFC 1928 §6).
    socks: { reply: { instead: Uint8Array.of(5, 2, 0, 1, 0, 0, 0, 0, 0, 0), then: "end" } }
  },
  unauthorized: {
    reply: replies.text("Who are you?\n", { status: 407, headers: { "proxy-authenticate": "Basic realm=\"test\"" } }),
    // No acceptable methods (§3).
    socks: { method: { instead: Uint8Array.of(5, 255), then: "end" } }
  },
  silence: { reply: replies.never, socks: { method: { instead: "", then: "silence" } } },
  end: { reply: replies.disconnect("end"), socks: { method: { instead: "", then: "end" } } },
  reset: { reply: replies.disconnect("reset"), socks: { method: { instead: "", then: "reset" } } },
  garbage: {
    reply: replies.raw("\0\0\0 this is no response", { close: true }),
    socks: { method: { instead: "\0\0\0 this is no reply", then: "end" } }
  }
}

interface Given extends Listening, Securing {
  readonly user?: string | undefined
  readonly route?: ReadonlyArray<string> | undefined
  readonly fault?: string | undefined
  readonly quiet: boolean
}

const parse = (args: ReadonlyArray<string>): Effect.Effect<Given, CommandError> =>
  read(() =>
    parseArgs({
      args: [...args],
      options: {
        ...listening,
        ...securing,
        user: { type: "string" },
        route: { type: "string", multiple: true },
        fault: { type: "string" },
        quiet: { type: "boolean", default: false }
      }
    }).values
  )

/** Runs a proxy until it is interrupted. */
export const runProxy: Command = (args, out) =>
  Effect.gen(function*() {
    const given = yield* parse(args)
    if (given.help) return out(usage)
    if (given.version) return out(yield* version)
    const port = yield* portOf(given.port ?? "3128")
    const fault = given.fault !== undefined && Object.hasOwn(faults, given.fault) ? faults[given.fault] : undefined
    if (given.fault !== undefined && fault === undefined) {
      const known = Object.keys(faults).join(", ")
      return yield* new CommandError(`--fault takes one of ${known}, not ${JSON.stringify(given.fault)}`, 2)
    }
    const routes = yield* Effect.forEach(given.route ?? [], routeOf)
    for (const [i, [name]] of routes.entries()) {
      if (routes.slice(0, i).some(([earlier]) => earlier === name)) {
        return yield* new CommandError(`--route says two ways for ${name}`, 2)
      }
    }
    const made = yield* listenedOn(proxy.make({
      host: yield* hostOf(given.host),
      port,
      tls: yield* tlsOf(given),
      credentials: yield* credentialsOf(given.user),
      routes: Object.fromEntries(routes),
      ...(fault === undefined ? {} : { connect: fault.reply, forward: fault.reply, socks: fault.socks })
    }, (request) => {
      if (!given.quiet) out(line(request))
    }))
    yield* writeAuthority(given, made.ca)
    out(`${made.url} and ${made.socksUrl} (HTTP, CONNECT and SOCKS 5${trustOf(given)})`)
    return yield* Effect.never
  }).pipe(Effect.scoped)

const credentialsOf = (user: string | undefined): Effect.Effect<proxy.Options["credentials"], CommandError> => {
  if (user === undefined) return Effect.succeed(undefined)
  const [, name = "", password] = /^([^:]+):(.*)$/s.exec(user) ?? []
  return password === undefined
    ? new CommandError("--user takes name:password", 2)
    : Effect.succeed({ user: name, password })
}

const routeOf = (route: string): Effect.Effect<[string, proxy.Address], CommandError> => {
  const at = route.indexOf("=")
  return at < 1
    ? new CommandError(`--route takes name=host:port, not ${JSON.stringify(route)}`, 2)
    : Effect.map(addressOf("route", route.slice(at + 1)), (to) => [route.slice(0, at), to])
}

const line = ({ authorized, connection, host, kind, port, user }: proxy.ProxyRequest): string => {
  const who = user === undefined ? "" : ` as ${user}`
  return `${kind} ${host.includes(":") ? `[${host}]` : host}:${port}${who}${authorized ? "" : ", not authorized"}` +
    ` (connection ${connection})`
}
