import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Scope from "effect/Scope"
import { deepStrictEqual, fail, ok, strictEqual } from "node:assert"
import * as ConnectionPool from "../../../src/ConnectionPool.js"
import { Connector } from "../../../src/Connector.js"
import { hostOf } from "../../../src/internal/connectionPool.js"
import * as MemoryNetwork from "../../../src/testing/MemoryNetwork.js"
import type { World } from "./pool.js"
import { StepScheduler, StillClock } from "./StepScheduler.js"

/**
 * Fibers over one pool, whose steps are taken in any order.
 */
export interface Scenario {
  readonly name: string
  readonly options?: ConnectionPool.Options
  readonly network?: MemoryNetwork.Options
  /** What went before, in peace. */
  readonly before?: (world: World) => Effect.Effect<unknown, unknown>
  /** Each runs in a fiber of its own. All of them must come to an end, whichever is interrupted. */
  readonly actors: ReadonlyArray<(world: Stage) => Effect.Effect<unknown, unknown>>
  /** What the pool must be like when all have ended; at rest in any case. */
  readonly after?: (world: World, exits: ReadonlyArray<Exit.Exit<unknown, unknown>>) => void
}

export interface Stage extends World {
  /** Closes the pool, as the end of a Scope does: uninterruptibly. */
  readonly close: Effect.Effect<void>
}

export interface Interrupt {
  readonly actor: number
  /** After how many steps. */
  readonly at: number
}

export interface Direction {
  /** How many operations a fiber may do before it yields. */
  readonly maxOps: number
  /** Which of the fibers that are ready does its step. */
  readonly choose: (count: number) => number
  readonly interrupts: ReadonlyArray<Interrupt>
}

/**
 * Plays a scenario and returns after how many steps each actor had ended. Afterwards the pool must be at rest: nobody waits, what
 * is open is idle, every permit that is not with an idle connection is free. Then it is closed, and nothing is left.
 */
export const play = (scenario: Scenario, { choose, interrupts, maxOps }: Direction): ReadonlyArray<number> => {
  const clock = new StillClock()
  const scheduler = new StepScheduler()
  const fork = <A, E>(effect: Effect.Effect<A, E>): Fiber.RuntimeFiber<A, E> =>
    Effect.runFork(Effect.withClock(effect, clock), { scheduler })
  const finish = <A, E>(effect: Effect.Effect<A, E>): A => {
    const fiber = fork(effect)
    let exit = fiber.unsafePoll()
    while (exit === null) {
      scheduler.run()
      exit = fiber.unsafePoll()
      if (exit === null && !clock.next()) fail("it never ends")
    }
    return Exit.getOrElse(exit, (cause) => fail(`${cause}`))
  }

  const scope = finish(Scope.make())
  const network = finish(MemoryNetwork.make(scenario.network))
  const pool = finish(
    ConnectionPool.make(scenario.options).pipe(
      Effect.provideService(Connector, network.connector),
      Scope.extend(scope)
    )
  )
  // Not a little later, but when the closing returns.
  const close = Effect.zipRight(Scope.close(scope, Exit.void), Effect.sync(() => hasNothing({ network, pool })))
  const world: Stage = { network, pool, close: Effect.uninterruptible(close) }
  if (scenario.before !== undefined) finish(scenario.before(world))

  scheduler.choose = choose
  scheduler.maxOps = maxOps
  const actors = scenario.actors.map((actor) => fork(actor(world)))
  let steps = 0
  const ends = actors.map(() => 0)
  actors.forEach((actor, i) =>
    actor.addObserver(() => {
      ends[i] = steps
    })
  )
  const exits = () => actors.map((_) => _.unsafePoll())
  for (;;) {
    for (const { actor, at } of interrupts) if (at === steps) actors[actor].unsafeInterruptAsFork(FiberId.none)
    if (++steps > 100_000) fail("the fibers never come to rest")
    if (scheduler.step()) continue
    if (!exits().includes(null)) break
    if (!clock.next()) fail(`it waits for ever: ${exits().map((_) => _?._tag ?? "waits").join(", ")}`)
  }
  scheduler.maxOps = Infinity
  scheduler.run()
  while (isMoving(world) && clock.next()) scheduler.run()

  for (const exit of exits()) if (Exit.isFailure(exit!) && Cause.isDie(exit.cause)) throw Cause.squash(exit.cause)
  isAtRest(world)
  scenario.after?.(world, exits().map((_) => _!))
  finish(world.close)
  strictEqual(clock.sleeping, 0, "a timer is left")
  return ends
}

const isMoving = ({ pool }: World): boolean => pool.unsafeStats().dialing + pool.unsafeStats().closing > 0

const isAtRest = ({ network, pool }: World): void => {
  const { idle, leases, maxConnections, open, waiting } = pool.unsafeStats()
  const { driver: { core }, permit } = hostOf(pool)
  deepStrictEqual({ leases, open, waiting }, { leases: 0, open: idle, waiting: 0 }, "the pool is not at rest")
  deepStrictEqual([network.open, network.faults], [open, []])
  ok(network.maxOpen <= maxConnections || maxConnections < core.state.limits.maxConnections)
  strictEqual(core.state.actions.length, 0)
  strictEqual((permit as unknown as { readonly taken: number }).taken, open, "a permit is lost")
}

const hasNothing = ({ network, pool }: World): void => {
  const { driver, fibers, permit, permits } = hostOf(pool) as unknown as {
    readonly fibers: ReadonlySet<unknown>
    readonly permit: { readonly taken: number }
    readonly permits: ReadonlyMap<unknown, unknown>
    readonly driver: {
      readonly opened: ReadonlyMap<unknown, unknown>
      readonly dialWatchers: ReadonlyMap<unknown, unknown>
      readonly time: { readonly deadlines: { readonly size: number } }
      readonly background: { readonly deadlines: { readonly size: number } }
    }
  }
  deepStrictEqual(
    {
      sockets: network.open,
      permits: permit.taken,
      permitsOfOrigins: permits.size,
      connections: driver.opened.size,
      watchers: driver.dialWatchers.size,
      fibers: fibers.size,
      deadlines: driver.time.deadlines.size + driver.background.deadlines.size
    },
    { sockets: 0, permits: 0, permitsOfOrigins: 0, connections: 0, watchers: 0, fibers: 0, deadlines: 0 },
    "something is left"
  )
}
