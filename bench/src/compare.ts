import * as Effect from "effect/Effect"
import { measure } from "./processes.js"
import { median, medianInterval } from "./statistics.js"
import type { Column, Contender, Endpoints, Suite, SuiteOptions } from "./Suite.js"

/**
 * A change that should cost nothing passes when even the upper end of the interval is below this: 5 % more of what
 * should be little, or less of what should be much.
 */
const tolerated = 1.05

/** One column of one contender: how many times as much it takes now. Above 1 is worse, for rates as well. */
export interface Comparison {
  readonly title: string
  readonly ratio: number
  readonly interval: readonly [low: number, high: number]
  readonly passes: boolean
}

/** Of pairs that were measured one right after the other, so that a machine that drifts does not count. */
export const compareColumn = (
  title: string,
  { better, metric }: Column,
  pairs: ReadonlyArray<readonly [now: Readonly<Record<string, number>>, before: Readonly<Record<string, number>>]>
): Comparison => {
  const ratios = pairs.map(([now, before]) =>
    better === "lower" ? now[metric] / before[metric] : before[metric] / now[metric]
  )
  const interval = medianInterval(ratios)
  return { title, ratio: median(ratios), interval, passes: interval[1] <= tolerated }
}

/** Those of a suite that are us; the others are the same on both sides. */
const ours = (contender: Contender) => contender.job.client.startsWith("Sluice")

/** Measures each of our contenders here and in the other checkout in turn. */
export const compareSuite = (
  suite: Suite,
  options: SuiteOptions,
  against: string,
  pairs: number,
  endpoints: Endpoints,
  onProgress: (text: string) => void
): Effect.Effect<ReadonlyArray<Comparison>, string> =>
  Effect.gen(function*() {
    const comparisons: Array<Comparison> = []
    for (const single of suite.cases(options)) {
      for (const contender of single.contenders.filter(ours)) {
        const title = `${single.title}, ${contender.name}`
        const measured: Array<Parameters<typeof compareColumn>[2][number]> = []
        for (let pair = 1; pair <= pairs; pair++) {
          onProgress(`${suite.name} · ${title} · pair ${pair} of ${pairs}`)
          const here = measure(contender.job, endpoints)
          const there = measure(contender.job, endpoints, against)
          // Who goes first alternates: the second finds a warmer machine.
          measured.push(
            pair % 2 === 1
              ? [yield* here, yield* there]
              : yield* Effect.map(Effect.all([there, here]), ([before, now]) => [now, before] as const)
          )
        }
        // The first two columns are what a request costs; the others are for the reader of the usual tables.
        for (const column of single.columns.slice(0, 2)) {
          comparisons.push(compareColumn(`${title}: ${column.title}`, column, measured))
        }
      }
    }
    return comparisons
  })
