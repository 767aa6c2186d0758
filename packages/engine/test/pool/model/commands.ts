import * as fc from "fast-check"
import type { CoreLimits } from "../../../src/pool/CoreLimits.js"
import type { Simulation } from "./Simulation.js"

/** One thing that happens to a pool. Numbers pick among what there is at that moment, so each command fits any pool. */
export type Command =
  | readonly ["request", origin: number, timeout: number, connectTimeout: number, fresh: boolean]
  | readonly ["abandon", pick: number]
  | readonly ["giveBackAgain", pick: number]
  | readonly ["responds", pick: number]
  | readonly ["reads", pick: number]
  | readonly ["dialFails", pick: number]
  | readonly ["late", pick: number]
  | readonly ["draining", pick: number]
  | readonly ["lost", pick: number]
  | readonly ["closes", pick: number]
  | readonly ["vanishes", pick: number]
  | readonly ["stopWarming", pick: number]
  | readonly ["release", pick: number, reusable: boolean, keepFor: number]
  | readonly ["dialSucceeds", pick: number, capacity: number, turnsOut: boolean]
  | readonly ["capacity", pick: number, capacity: number]
  | readonly ["advance", millis: number]
  | readonly ["setWallClock", millis: number]
  | readonly ["setLimits", limits: CoreLimits]
  | readonly ["warm", origin: number, count: number]
  | readonly ["evictIdle"]

const few = (...values: ReadonlyArray<number>) => fc.constantFrom(...values)
const often = (value: boolean) => fc.constantFrom(value, value, value, !value)
const pick = fc.nat(30)
const origin = few(0, 0, 0, 1, 1, 2, 3)

export const someLimits: fc.Arbitrary<CoreLimits> = fc.record({
  maxConnections: few(2, 1, 3, 5, Infinity),
  maxConnectionsPerOrigin: few(Infinity, Infinity, 2, 1),
  maxKeepAliveConnections: few(Infinity, Infinity, 2, 1, 0),
  keepAliveExpiry: few(Infinity, 20, 20, 0),
  maxConnectionAge: few(Infinity, 50),
  maxRequestsPerConnection: few(Infinity, Infinity, 3, 1),
  maxPendingRequests: few(Infinity, Infinity, Infinity, 2, 0)
})

const command = (
  weight: number,
  name: Command[0],
  ...parameters: ReadonlyArray<fc.Arbitrary<unknown>>
): fc.WeightedArbitrary<Command> => ({
  weight,
  arbitrary: fc.tuple(fc.constant(name), ...parameters) as unknown as fc.Arbitrary<Command>
})

const weighted: ReadonlyArray<fc.WeightedArbitrary<Command>> = [
  command(16, "request", origin, few(Infinity, 30, 10, 0), few(Infinity, 20, 50), often(false)),
  command(3, "abandon", pick),
  command(1, "giveBackAgain", pick),
  command(6, "responds", pick),
  command(1, "reads", pick),
  command(15, "release", pick, often(true), few(Infinity, Infinity, 15, -1)),
  command(10, "dialSucceeds", pick, few(3, 3, 2, 1, 0), often(false)),
  command(3, "dialFails", pick),
  command(1, "late", pick),
  command(3, "capacity", pick, few(0, 1, 2, 4)),
  command(1, "draining", pick),
  command(2, "lost", pick),
  command(8, "closes", pick),
  command(1, "vanishes", pick),
  command(5, "advance", few(1, 5, 10, 40, 60)),
  command(1, "setWallClock", few(-3_600_000, 15, 3_600_000)),
  command(1, "setLimits", someLimits),
  command(1, "warm", origin, fc.integer({ min: 1, max: 3 })),
  command(1, "stopWarming", pick),
  command(1, "evictIdle")
]

const unlimited: CoreLimits = {
  maxConnections: Infinity,
  maxConnectionsPerOrigin: Infinity,
  maxKeepAliveConnections: Infinity,
  keepAliveExpiry: Infinity,
  maxConnectionAge: Infinity,
  maxRequestsPerConnection: Infinity,
  maxPendingRequests: Infinity
}

/** Two origins that want the only connection, which one of them shares and does not let go of: chance rarely gets there. */
const contention: ReadonlyArray<Command> = [
  ["setLimits", { ...unlimited, maxConnections: 1 }],
  ["request", 1, Infinity, Infinity, false],
  ["request", 1, Infinity, Infinity, false],
  ["request", 1, Infinity, Infinity, false],
  ["advance", 5],
  ["dialSucceeds", 0, 3, false],
  ["request", 0, Infinity, Infinity, false],
  ["advance", 60],
  ["release", 0, true, Infinity]
]

/** One way to a server has all connections that it may have, idle for less long than others, when a request wants another way. */
const ways: ReadonlyArray<Command> = [
  ["setLimits", unlimited],
  ["request", 0, Infinity, Infinity, false],
  ["dialSucceeds", 0, 1, false],
  ["release", 0, true, Infinity],
  ["request", 1, Infinity, Infinity, false],
  ["dialSucceeds", 0, 1, false],
  ["release", 0, true, Infinity],
  ["setLimits", { ...unlimited, maxConnectionsPerOrigin: 1 }],
  ["request", 3, Infinity, Infinity, false]
]

export const someCommands = (maxLength: number): fc.Arbitrary<ReadonlyArray<Command>> => {
  const random = fc.array(fc.oneof(...weighted), { minLength: 1, maxLength, size: "max" })
  return fc.oneof(
    { weight: 19, arbitrary: random },
    { weight: 1, arbitrary: random.map((commands) => [...contention, ...commands]) },
    { weight: 1, arbitrary: random.map((commands) => [...ways, ...commands]) }
  )
}

export const run = (simulation: Simulation, [name, ...parameters]: Command): void => {
  ;(simulation[name] as (...parameters: ReadonlyArray<unknown>) => void)(...parameters)
}
