import * as fc from "fast-check"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import { type Command, run, someCommands, someLimits } from "./model/commands.js"
import { Simulation } from "./model/Simulation.js"

// A longer run, a million steps or so:  npm run fuzz:pool
// The same run again:  npm run fuzz:pool -- --seed …, the seed that was printed, and --path … for the failure alone.
const usualRuns = 1800
const runs = Number(process.env.MODEL_RUNS ?? usualRuns)
const seed = Number(process.env.MODEL_SEED ?? Date.now() % 2 ** 31)
const path = process.env.MODEL_PATH

/** What a run has to come across, or it shows less than it says. */
const everything = [
  ...["at once, idle", "at once, shared", "after waiting", "after its time was up"].map((_) => `granted ${_}`),
  "granted after waiting, new as asked for",
  "tried again after a failure",
  "took requests again",
  "left a dial to who comes next",
  "abandoned for its own origin",
  "abandoned for another origin",
  "closed, too old by its date",
  "closed, for a request that wants a new connection",
  "closed, for another way to the server",
  ...["ConnectTimeout", "DialFailed", "PoolClosed", "PoolQueueFull", "PoolTimeout"].map((_) => `refused, ${_}`),
  ...["DialAbandoned", "LimitLowered", "PoolClosed"].map((_) => `planned and dropped, ${_}`),
  ...[
    "ClosedByPeer",
    "DialAbandoned",
    "DialFailed",
    "EvictIdle",
    "Evicted",
    "Expired",
    "KeepAliveLimit",
    "LimitLowered",
    "MaxAge",
    "MaxRequests",
    "NotReusable",
    "PoolClosed"
  ].map((_) => `closed, ${_}`)
]

/** Everything that was begun comes to its end: then nobody may wait any more, and nothing may be left. */
const finish = (simulation: Simulation, aborts: boolean): void => {
  const { core, reference } = simulation
  const rounds = 100 + 10 * simulation.requests
  for (let round = 0; reference.waiters().length > 0 || reference.leases().length > 0; round++) {
    ok(round < rounds, "somebody waits for ever")
    for (let i = reference.slots.length; i > 0; i--) simulation.capacity(0, 1)
    while (reference.leases().length > 0) simulation.release(0, true, Infinity)
    while (reference.count(["Closing"]) > 0) simulation.closes(0)
    if (reference.count(["Dialing"]) > 0) simulation.dialSucceeds(0, 1, false)
    // An origin that has failed waits for its time, and others until the round robin reaches them.
    if (reference.leases().length === 0) simulation.advance(1000)
  }
  simulation.request(0, Infinity, Infinity, false)
  simulation.close()
  if (aborts) simulation.abort()
  while (reference.leases().length > 0) simulation.release(0, true, Infinity)
  while (reference.count(["Closing"]) > 0) simulation.closes(0)
  strictEqual(core.state.open, 0)
  strictEqual(core.state.slots.size, 0)
  strictEqual(simulation.deadlines.size + simulation.looks.size, 0)
  strictEqual(simulation.ended.length, simulation.requests, "every request is settled")
}

describe("the pool core, against its reference", () => {
  it(`decides as it should, whatever happens in whatever order (seed ${seed})`, { timeout: 3_600_000 }, () => {
    let steps = 0
    const seen = new Map<string, number>()
    const play = (commands: ReadonlyArray<Command>, simulation: Simulation, aborts: boolean) => {
      for (const command of commands) run(simulation, command)
      finish(simulation, aborts)
      steps += simulation.steps
      for (const [what, times] of simulation.seen) seen.set(what, (seen.get(what) ?? 0) + times)
    }
    fc.assert(
      fc.property(
        someLimits,
        fc.constantFrom("dial" as const, "wait" as const),
        fc.boolean(),
        fc.boolean(),
        someCommands(160),
        (limits, whenFull, observed, aborts, commands) =>
          play(commands, new Simulation(limits, whenFull, observed), aborts)
      ),
      { numRuns: runs, seed, ...(path === undefined ? {} : { path }) }
    )
    console.log(`the pool core: ${steps} steps in ${runs} runs, seed ${seed}`)
    if (runs < usualRuns || path !== undefined) return
    ok(steps >= 100_000, `only ${steps} steps`)
    deepStrictEqual(everything.filter((what) => !seen.has(what)), [], "what never happened")
  })
})
