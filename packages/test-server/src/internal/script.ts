import * as routes from "@sluice/engine/routes"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Inspectable from "effect/Inspectable"
import * as Predicate from "effect/Predicate"
import type { ReceivedRequest } from "../ReceivedRequest.js"
import type { Reply } from "../Reply.js"
import type { Replies, RouteOptions } from "../Script.js"
import type { Lifetime } from "./lifetime.js"
import type { Received } from "./received.js"
import * as makeReply from "./reply.js"

export interface Route {
  readonly early: boolean
  readonly sendContinue: boolean
  /** Whether a reply may need the request's whole body. */
  readonly keepsBody: boolean
  /** Rejects when the script fails. */
  readonly decide: (request: Received, lifetime: Lifetime) => Promise<Reply>
}

interface Scripted {
  readonly pattern: routes.Route
  /** Of several that mean a request, the one with the most of it. */
  readonly exactness: number
  readonly route: Route
}

export class Script {
  private readonly scripted = new Map<string, Scripted>()

  set(key: string, replies: Replies, options: RouteOptions = {}): void {
    const pattern = parseRoute(key)
    const route = makeRoute(replies, options)
    this.scripted.set(meaningOf(pattern), { pattern, exactness: exactnessOf(pattern), route })
  }

  /** Those that are written together. */
  setAll(routes: Readonly<Record<string, Replies>>): void {
    checkTwins(Object.keys(routes))
    for (const [key, replies] of Object.entries(routes)) this.set(key, replies)
  }

  /** The most exact route: with its query, by its whole path, by the longest beginning; with the method before without. */
  find(request: Asked): Route {
    let best: Scripted | undefined = undefined
    for (const one of this.scripted.values()) {
      if (best !== undefined && one.exactness <= best.exactness) continue
      if (routes.matches(one.pattern, toRouted(request, one.pattern))) best = one
    }
    return best?.route ?? this.unmatched
  }

  private readonly unmatched = makeRoute(
    (request) => {
      const list = [...this.scripted.values()].map(({ pattern }) => `  ${pattern.source}\n`).join("")
      const scripted = list === "" ? "Nothing is scripted.\n" : `Scripted:\n${list}`
      const nearest = this.nearest(request)
      return makeReply.text(
        `No reply is scripted for ${request.method} ${request.target}\n` +
          (nearest === undefined ? "" : `The nearest is ${nearest}\n`) + scripted,
        { status: 404 }
      )
    },
    {}
  )

  private nearest(request: Asked): string | undefined {
    let nearest: string | undefined = undefined
    let least = Infinity
    for (const { pattern } of this.scripted.values()) {
      const differences = routes.differences(pattern, toRouted(request, pattern))
      const weight = differences.reduce((sum, difference) => sum + difference.weight, 0)
      if (weight >= least) continue
      least = weight
      nearest = `${pattern.source}: ${differences.map(({ text }) => text).join("; ")}`
    }
    return nearest
  }
}

/** What a route is found by. */
type Asked = Pick<ReceivedRequest, "method" | "target" | "path" | "header">

/** Reads a route, in the language that mocks have too. */
export const parseRoute = (key: string): routes.Route => {
  const parsed = routes.parseRoute(key)
  if ("problem" in parsed) throw new Error(`the route ${parsed.problem}`)
  return parsed
}

/** Of two routes that mean the same, one would have no effect. */
export const checkTwins = (keys: ReadonlyArray<string>): void => {
  const known = new Map<string, string>()
  for (const key of keys) {
    const meaning = meaningOf(parseRoute(key))
    const same = known.get(meaning)
    if (same !== undefined) {
      throw new Error(`the routes ${JSON.stringify(same)} and ${JSON.stringify(key)} mean the same requests`)
    }
    known.set(meaning, key)
  }
}

/** The same for routes that mean the same requests, however they are written. */
const meaningOf = ({ method, origin, path, query }: routes.Route): string =>
  JSON.stringify([
    method,
    origin,
    path?.regex.source.replaceAll(/\(\?<[A-Za-z_][A-Za-z0-9_]*>/g, "("),
    query?.isOpen,
    query === undefined ? undefined : query.pairs.map((pair) => JSON.stringify(pair)).sort()
  ])

const exactnessOf = ({ method, origin, path, query }: routes.Route): number => {
  const text = path?.text ?? ""
  const kind = path === undefined ? 0 : text.includes("*") ? 1 : path.names.length > 0 ? 2 : 3
  return (query === undefined ? 0 : 1e7) + kind * 1e6 + text.length * 10 + (origin === undefined ? 0 : 2) +
    (method === undefined ? 0 : 1)
}

/** A server is asked for what comes to it: the scheme is the one that the route has, the host what the client says. */
const toRouted = (request: Asked, { origin }: routes.Route): routes.RoutedRequest => {
  const { method, path, target } = request
  const at = target.indexOf("?")
  const scheme = origin?.scheme ?? "http"
  const authority = origin === undefined ? "" : request.header(":authority") ?? request.header("host") ?? ""
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority.toLowerCase()) ?? []
  return {
    method,
    scheme,
    host,
    port: port ?? (scheme === "https" ? "443" : "80"),
    path,
    query: at < 0 ? "" : target.slice(at + 1)
  }
}

const makeRoute = (replies: Replies, options: RouteOptions): Route => {
  const list = typeof replies === "function" ? undefined : [replies].flat()
  if (list?.length === 0) throw new Error("a route needs one reply at least, and this one has an empty list")
  for (const reply of list ?? []) if (!makeReply.isReply(reply)) throw new Error(`a route has ${shown(reply)}`)
  return {
    early: options.early ?? list?.some(passesBodyOn) ?? false,
    sendContinue: options.expectContinue !== "withhold",
    keepsBody: list?.some(passesBodyOn) ?? true,
    decide: decider(replies)
  }
}

/** Whether the reply needs the request's whole body. */
export const passesBodyOn = (reply: Reply): boolean =>
  reply._tag === "Forward" || (reply._tag === "Response" && reply.body._tag === "Echo")

/** What a route replies to its request of that number. */
export const replyOf = (
  replies: Replies,
  request: ReceivedRequest,
  count: number
): Reply | Effect.Effect<Reply, unknown> => {
  if (typeof replies === "function") return replies(request, { count })
  const list = [replies].flat()
  return list[Math.min(count, list.length - 1)]
}

const decider = (replies: Replies): Route["decide"] => {
  let count = 0
  return async (request, lifetime) => {
    const decided = replyOf(replies, request, count++)
    const reply = Effect.isEffect(decided) ? await run(decided, lifetime) : decided
    if (!makeReply.isReply(reply)) throw new Error(`the handler returned ${shown(reply)}`)
    return reply
  }
}

const shown = (value: unknown): string =>
  Predicate.isPromise(value)
    ? "a Promise, which is no reply: `Effect.promise` makes an Effect of it"
    : `${Inspectable.toStringUnknown(value, 0)}, which is no reply`

const run = async (effect: Effect.Effect<Reply, unknown>, lifetime: Lifetime): Promise<Reply> => {
  const exit = await lifetime.wait<Exit.Exit<Reply, unknown>>((resume) => {
    const cancel = Effect.runCallback(effect, { onExit: resume })
    return () => cancel()
  })
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.squash(exit.cause)
}
