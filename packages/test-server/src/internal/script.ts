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

export class Script {
  private readonly routes = new Map<string, Route>()

  set(key: string, replies: Replies, options: RouteOptions = {}): void {
    this.routes.set(key, makeRoute(replies, options))
  }

  /** The most exact route wins: by whole target, by path, by the longest prefix; with the method before without. */
  find(method: string, target: string, path: string): Route {
    return this.exactly(method, target) ?? this.exactly(method, path) ?? this.byPrefix(method, path) ?? this.unmatched
  }

  private exactly(method: string, path: string): Route | undefined {
    return this.routes.get(`${method} ${path}`) ?? this.routes.get(path)
  }

  private byPrefix(method: string, path: string): Route | undefined {
    let best: string | undefined
    for (const key of this.routes.keys()) {
      if (!key.endsWith("*")) continue
      const prefix = key.startsWith(`${method} `) ? key.slice(method.length + 1, -1) : key.slice(0, -1)
      if (!path.startsWith(prefix)) continue
      if (best === undefined || key.length > best.length) best = key
    }
    return best === undefined ? undefined : this.routes.get(best)
  }

  private readonly unmatched = makeRoute(
    (request) => {
      const list = [...this.routes.keys()].map((key) => `  ${key}\n`).join("")
      const scripted = list === "" ? "Nothing is scripted.\n" : `Scripted:\n${list}`
      return makeReply.text(`No reply is scripted for ${request.method} ${request.target}\n${scripted}`, {
        status: 404
      })
    },
    {}
  )
}

const makeRoute = (replies: Replies, options: RouteOptions): Route => {
  const list = typeof replies === "function" ? undefined : [replies].flat()
  if (list?.length === 0) throw new Error("a route needs one reply at least, and this one has an empty list")
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
    if (!isReply(reply)) {
      throw new Error(`the handler returned ${Inspectable.toStringUnknown(reply)}, which is no reply`)
    }
    return reply
  }
}

// The types say so, but a handler may be written in JavaScript, or end without a return.
const isReply = (reply: unknown): reply is Reply => Predicate.hasProperty(reply, "_tag")

const run = async (effect: Effect.Effect<Reply, unknown>, lifetime: Lifetime): Promise<Reply> => {
  const exit = await lifetime.wait<Exit.Exit<Reply, unknown>>((resume) => {
    const cancel = Effect.runCallback(effect, { onExit: resume })
    return () => cancel()
  })
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.squash(exit.cause)
}
