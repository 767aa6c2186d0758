import * as table from "@sluice/engine/options"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Socket } from "node:net"
import type { ServerStats } from "../../ServerStats.js"
import { type Accepted, Acceptor } from "../acceptor.js"
import { checked } from "../checked.js"
import { Ledger } from "../ledger.js"
import { Lifetime } from "../lifetime.js"
import { breakOnceWritten, breakSocket } from "../sockets.js"
import { dial } from "../tunnel.js"
import { carryWith } from "./carry.js"
import type { Plan } from "./plan.js"

/**
 * A running fault proxy. It uses no Clock of the program under test.
 *
 * @since 0.1.0
 * @category models
 */
export interface FaultProxy {
  readonly host: string

  readonly port: number

  /** `host:port`, to replace that of the server in a URL. */
  readonly address: string

  /** Changes the plan for the connections that come from now on. */
  readonly plan: (plan: NonNullable<Options["plan"]>) => Effect.Effect<void>

  /** Connections of clients; `tunnelsOpened` and `openTunnels` are those that reached the server. */
  readonly stats: Effect.Effect<FaultStats>

  readonly awaitStats: (predicate: (stats: FaultStats) => boolean) => Effect.Effect<FaultStats>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The server behind it. */
  readonly to: { readonly host: string; readonly port: number }

  /** The address to listen on. Default `"127.0.0.1"`. */
  readonly host?: string | undefined

  /** Default 0: any free port. */
  readonly port?: number | undefined

  /**
   * One plan for all connections, several for one after the other (the last one stays), or a plan by the number of the
   * connection, from 0: `(n) => FaultProxy.random(seed + n)` is chaos that can be had again. Default: nothing is spoiled.
   */
  readonly plan?: Plan | ReadonlyArray<Plan> | ((connection: number) => Plan) | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface FaultStats extends
  Pick<
    ServerStats,
    "connectionsOpened" | "openConnections" | "maxOpenConnections" | "tunnelsOpened" | "openTunnels"
  >
{
  /** Actions that were carried out, and connections that got something `instead`. */
  readonly faults: number
}

export const make = (options: Options): Effect.Effect<FaultProxy, never, Scope.Scope> =>
  Effect.gen(function*() {
    const ledger = new Ledger(0, 0)
    let faults = 0
    let given = checkedPlan(options.plan ?? {})
    const count = () => {
      faults++
      ledger.changed.notify()
    }
    const acceptor = yield* Effect.acquireRelease(
      Effect.sync(() =>
        new Acceptor(ledger, undefined, true, (accepted) => {
          const plan = planOf(given, accepted.account.number)
          // It ends early only with the connection.
          serve(accepted, plan, options.to, ledger, count).catch(() => accepted.tcp.destroy())
        })
      ),
      (acceptor) => acceptor.closeAll
    )
    const host = options.host ?? "127.0.0.1"
    const listening = yield* Effect.orDie(acceptor.listen({ host, port: options.port ?? 0 }))
    const port = typeof listening === "string" ? 0 : listening.port
    const withFaults = (stats: Omit<FaultStats, "faults">): FaultStats => ({ ...stats, faults })
    return {
      host,
      port,
      address: `${host.includes(":") ? `[${host}]` : host}:${port}`,
      plan: (plan) =>
        Effect.sync(() => {
          given = checkedPlan(plan)
        }),
      stats: Effect.map(ledger.settled, withFaults),
      awaitStats: (predicate) => Effect.map(ledger.awaitStats((stats) => predicate(withFaults(stats))), withFaults)
    }
  })

const planOf = (given: NonNullable<Options["plan"]>, connection: number): Plan => {
  if (typeof given === "function") return checked("FaultProxy: the plan", table.faultPlan, given(connection))
  if (!isMany(given)) return given
  return given[Math.min(connection, given.length - 1)] ?? {}
}

/** What a function will return nobody knows yet. */
const checkedPlan = (given: NonNullable<Options["plan"]>): NonNullable<Options["plan"]> => {
  if (isMany(given)) given.forEach((plan, i) => checked(`FaultProxy: plan[${i}]`, table.faultPlan, plan))
  else if (typeof given !== "function") checked("FaultProxy: plan", table.faultPlan, given)
  return given
}

const isMany = (given: NonNullable<Options["plan"]>): given is ReadonlyArray<Plan> => Array.isArray(given)

const serve = async (
  { tcp }: Accepted,
  plan: Plan,
  to: Options["to"],
  ledger: Ledger,
  count: () => void
): Promise<void> => {
  const lifetime = new Lifetime()
  tcp.once("close", () => lifetime.end())
  if (plan.hold !== undefined) await lifetime.pass(plan.hold)
  if (plan.delay !== undefined) await lifetime.sleep(plan.delay)
  if (plan.instead !== undefined) {
    count()
    // What comes is read, so that the client's end is noticed.
    tcp.once("end", () => tcp.destroy()).resume()
    return plan.instead === "silence" ? undefined : breakSocket(tcp, tcp, plan.instead)
  }
  const far = await dial(to, lifetime)
  if (typeof far === "string") return breakSocket(tcp, tcp, "reset")
  ledger.tunnelOpened()
  tcp.once("close", () => {
    far.destroy()
    ledger.tunnelClosed()
  })
  // A server that resets does so to the client too.
  far.on("error", () => breakSocket(tcp, tcp, "reset"))
  const close = (how: "end" | "reset") => breakOnceWritten(tcp, tcp, how)
  const swallow = (from: Socket) => {
    from.resume()
    // Nothing of a client's end gets through, so it is the end of the connection.
    if (tcp.readableEnded) tcp.destroy()
    else tcp.once("end", () => tcp.destroy())
  }
  const run = { lifetime, count, close, swallow }
  await Promise.all([carryWith(plan.up ?? {}, tcp, far, run), carryWith(plan.down ?? {}, far, tcp, run)])
}
