import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { randomChoice, StepScheduler, StillClock } from "./StepScheduler.js"

export interface Play<R> {
  readonly layer: Layer.Layer<R, unknown>
  readonly actors: ReadonlyArray<Effect.Effect<unknown, unknown, R>>
  readonly check: Effect.Effect<unknown, unknown, R>
}

/** In which order fibers take their steps, and who is interrupted when. */
interface Schedule {
  readonly name: string
  readonly choose: (count: number) => number
  /** How many operations a fiber may do before it yields. */
  readonly maxOps: number
  readonly interrupts: ReadonlyArray<{ readonly actor: number; readonly at: number }>
}

/** What went wrong, and in which schedule. */
export class Broken {
  constructor(readonly schedule: string, readonly what: string, readonly cause: unknown) {}
}

class Stuck extends Error {}

const maxSteps = 1_000_000

/** Plays it once; after how many steps each actor had ended. */
const play = <R>(
  { actors, check, layer }: Play<R>,
  { choose, interrupts, maxOps }: Schedule
): ReadonlyArray<number> => {
  const clock = new StillClock()
  const scheduler = new StepScheduler()
  const fork = <A, E>(effect: Effect.Effect<A, E>): Fiber.RuntimeFiber<A, E> =>
    Effect.runFork(Effect.withClock(effect, clock), { scheduler })
  const finish = <A, E>(effect: Effect.Effect<A, E>, what: string): A => {
    const fiber = fork(effect)
    for (;;) {
      scheduler.run()
      const exit = fiber.unsafePoll()
      if (exit !== null) return Exit.getOrElse(exit, (cause) => raise(cause, what))
      if (!clock.next()) throw new Stuck(`${what} waits for ever${hint}`)
    }
  }
  const scope = finish(Scope.make(), "the scope")
  const context = finish(Layer.buildWithScope(layer, scope), "the layer")
  scheduler.choose = choose
  scheduler.maxOps = maxOps
  const fibers = actors.map((actor) => fork(Effect.provide(actor, context as Context.Context<R>)))
  const ends = fibers.map(() => 0)
  let steps = 0
  fibers.forEach((fiber, i) =>
    fiber.addObserver(() => {
      ends[i] = steps
    })
  )
  for (;;) {
    for (const { actor, at } of interrupts) if (at === steps) fibers[actor].unsafeInterruptAsFork(FiberId.none)
    if (++steps > maxSteps) throw new Stuck("the fibers never come to rest")
    if (scheduler.step()) continue
    const waiting = fibers.findIndex((fiber) => fiber.unsafePoll() === null)
    if (waiting < 0) break
    if (!clock.next()) throw new Stuck(`actor ${waiting} waits for ever${hint}`)
  }
  scheduler.choose = () => 0
  scheduler.maxOps = Infinity
  fibers.forEach((fiber, i) => {
    const exit = fiber.unsafePoll()
    if (exit !== null && Exit.isFailure(exit) && Cause.isDie(exit.cause)) raise(exit.cause, `actor ${i}`)
  })
  scheduler.run()
  finish(Effect.provide(check, context as Context.Context<R>), "the check")
  finish(Scope.close(scope, Exit.void), "closing the layer")
  return ends
}

const hint = ": nothing that it waits for is a fiber or a time; what comes from outside of Effect cannot be explored"

const raise = (cause: Cause.Cause<unknown>, what: string): never => {
  throw new Error(`${what} failed: ${Cause.pretty(cause)}`, { cause: Cause.squash(cause) })
}

/** At most so many steps of an actor are tried, evenly. */
const maxStepsTried = 150

/** Plays all schedules, one for each step of the generator, and throws what is wrong with the first that breaks it. */
export function* explore<R>(scenario: Play<R>, random: number, firstSeed: number): Generator<void, number> {
  let count = 0
  const attempt = (schedule: Schedule): ReadonlyArray<number> => {
    count++
    try {
      return play(scenario, schedule)
    } catch (error) {
      throw new Broken(schedule.name, error instanceof Error ? error.message : String(error), error)
    }
  }
  for (const maxOps of [Infinity, 2]) {
    const inOrder: Schedule = { name: "in order, nobody interrupted", choose: () => 0, maxOps, interrupts: [] }
    for (const [actor, steps] of attempt(inOrder).entries()) {
      const stride = Math.max(1, Math.ceil(steps / maxStepsTried))
      for (let at = 0; at <= steps; at += stride) {
        yield
        attempt({
          ...inOrder,
          name: `actor ${actor} interrupted at step ${at} of ${steps}`,
          interrupts: [{ actor, at }]
        })
      }
    }
  }
  for (let seed = firstSeed; seed < firstSeed + random; seed++) {
    const choose = randomChoice(seed)
    const interrupts = Array.from({ length: choose(3) }, () => ({
      actor: choose(scenario.actors.length),
      at: choose(scenario.actors.length * 100)
    }))
    yield
    attempt({ name: `in the random order of seed ${seed}`, choose, maxOps: 2 + choose(4), interrupts })
  }
  return count
}
