import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import type { Reply } from "../Reply.js"
import type { Replies, RouteOptions } from "../Script.js"
import type { Lifetime } from "./lifetime.js"
import type { Received } from "./received.js"
import * as makeReply from "./reply.js"

export interface Route {
  readonly early: boolean
  readonly sendContinue: boolean
  readonly decide: (request: Received, lifetime: Lifetime) => Reply | Promise<Reply>
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
  const echoes = typeof replies !== "function" && [replies].flat().some(isEcho)
  const decide = decider(replies)
  return {
    early: options.early ?? echoes,
    sendContinue: options.expectContinue !== "withhold",
    decide
  }
}

const isEcho = (reply: Reply): boolean => reply._tag === "Response" && reply.body._tag === "Echo"

const decider = (replies: Replies): Route["decide"] => {
  let count = 0
  if (typeof replies !== "function") {
    const list: ReadonlyArray<Reply> = [replies].flat()
    return () => list[Math.min(count++, list.length - 1)]
  }
  return (request, lifetime) => {
    try {
      const answer = replies(request, { count: count++ })
      return Effect.isEffect(answer) ? run(answer, lifetime) : answer
    } catch (error) {
      return failed(error)
    }
  }
}

const run = (effect: Effect.Effect<Reply, unknown>, lifetime: Lifetime): Promise<Reply> =>
  lifetime.wait<Reply>((resume) => {
    const cancel = Effect.runCallback(Effect.catchAllCause(effect, (cause) => Effect.succeed(failed(cause))), {
      onExit: (exit) => {
        if (exit._tag === "Success") resume(exit.value)
      }
    })
    return () => cancel()
  })

const failed = (error: unknown): Reply =>
  makeReply.text(
    `The script failed: ${error instanceof Error ? error.message : Inspectable.toStringUnknown(error)}\n`,
    {
      status: 500
    }
  )
