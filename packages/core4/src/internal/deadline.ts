import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Timeouts from "../Timeouts.js"
import { toMillis } from "./duration.js"

/** When a call has to be over, with the bodies of its responses. */
export class Deadline {
  private readonly listeners = new Set<() => void>()

  /**
   * @param outer of the call that this one is a part of: no part ends later than the whole
   * @param start in nanoseconds of Effect's monotonic clock, as `end`
   * @param yields whether the total of an origin bounds the requests to it as well, since nobody has said another one for
   *   this call
   */
  constructor(
    private readonly outer: Deadline | undefined,
    private readonly start: bigint,
    private ownMillis: number,
    readonly yields: boolean
  ) {}

  /** Undefined for never. */
  get end(): bigint | undefined {
    return this.first.ownEnd
  }
  /** How long it gives, from its own beginning or that of the call around it. */
  get millis(): number {
    return this.first.ownMillis
  }

  private get first(): Deadline {
    const outer = this.outer?.first
    const end = outer?.ownEnd
    return outer === undefined || end === undefined || (this.ownEnd !== undefined && this.ownEnd < end) ? this : outer
  }
  private get ownEnd(): bigint | undefined {
    return this.ownMillis === Infinity ? undefined : this.start + BigInt(Math.ceil(this.ownMillis * 1e6))
  }

  /** It is known now what is called, and how long that may take from the beginning of the call. */
  replace(millis: number): void {
    this.ownMillis = millis
    for (const listener of this.listeners) listener()
  }

  onReplaced(listener: () => void): () => void {
    this.listeners.add(listener)
    const remove = this.outer?.onReplaced(listener)
    return () => {
      this.listeners.delete(listener)
      remove?.()
    }
  }
}

/** Of the call that the fiber is in. */
export const current: Context.Reference<Deadline | undefined> = Context.Reference(
  "@sluice/core4/Deadline/current",
  { defaultValue: (): Deadline | undefined => undefined }
)

/** The timeouts of a region whose `total` is what is left of a deadline; not those that were made of them. */
const deadlines = new WeakMap<Partial<Timeouts.Resolved>, Deadline>()

/** What ends the requests of a region, if it is no fixed `total`. */
export const ofRegion = (timeouts: Partial<Timeouts.Resolved> | undefined): Deadline | undefined =>
  timeouts && deadlines.get(timeouts)

export const millisUntil = (deadline: Deadline | undefined, now: bigint): number => {
  const end = deadline?.end
  return end === undefined ? Infinity : Math.max(0, Number(end - now) / 1e6)
}

/**
 * Runs a call that has to be over, with the bodies of its responses, in so many milliseconds. It sets no timer: the
 * transport's own `total` is what is left at the moment when a request is sent.
 */
export const within = <A, E, R>(call: Effect.Effect<A, E, R>, millis: number): Effect.Effect<A, E, R> =>
  withDeadline(millis, false, () => call)

/** The same for a call whose deadline may still be replaced, and where that of an origin counts besides. */
export const withDeadline = <A, E, R>(
  millis: number,
  yields: boolean,
  call: (deadline: Deadline) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Clock.clockWith((clock) =>
    Effect.flatMap(current, (outer) => {
      const deadline = new Deadline(outer, clock.monotonicTimeNanosUnsafe(), millis, yields)
      return call(deadline).pipe(
        Effect.provideService(current, deadline),
        Effect.updateService(Timeouts.current, (timeouts) => {
          const within = {
            ...timeouts,
            // Read when a request is made ready, which may be after others of the same call.
            get total() {
              return millisUntil(deadline, clock.monotonicTimeNanosUnsafe())
            }
          }
          deadlines.set(within, deadline)
          return within
        })
      )
    })
  )

/** `timeouts.total` of a region of code holds over everything that a call within it does, not for each request of it. */
export const withinTotal = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Timeouts.current, (timeouts) => {
    // A deadline does already.
    if (ofRegion(timeouts) !== undefined) return call
    const total = timeouts?.total === undefined ? undefined : toMillis(timeouts.total)
    return total === undefined || total === Infinity ? call : within(call, total)
  })

/** Gives each request within `call` no more than so long. */
export const withinAttempt = <A, E, R>(call: Effect.Effect<A, E, R>, millis: number): Effect.Effect<A, E, R> =>
  Effect.flatMap(Timeouts.current, (timeouts) => {
    const region = ofRegion(timeouts)
    const total = region === undefined ? toMillis(timeouts?.total) : undefined
    const yields = region?.yields ?? total === undefined
    return withDeadline(Math.min(millis, total ?? Infinity), yields, () => call)
  })

/** Interrupts what runs when the deadline has passed, though it be replaced meanwhile, and goes on as `onPassed` says. */
export const endedBy = <A, E, R, E2>(
  deadline: Deadline,
  self: Effect.Effect<A, E, R>,
  onPassed: (millis: number) => Effect.Effect<A, E2>
): Effect.Effect<A, E | E2, R> =>
  Effect.flatten(Effect.raceFirst(
    Effect.map(self, Effect.succeed),
    Effect.map(Effect.interruptible(passed(deadline)), () => onPassed(deadline.millis))
  ))

const passed = (deadline: Deadline): Effect.Effect<void> =>
  Clock.clockWith((clock) => {
    // Whole milliseconds: TestClock takes no others.
    const left = Math.ceil(millisUntil(deadline, clock.monotonicTimeNanosUnsafe()))
    if (left === 0) return Effect.void
    const replaced = Effect.callback<void>((resume) => {
      const remove = deadline.onReplaced(() => resume(Effect.void))
      return Effect.sync(remove)
    })
    const over = left === Infinity ? replaced : Effect.raceFirst(Effect.sleep(left), replaced)
    return Effect.andThen(over, passed(deadline))
  })
