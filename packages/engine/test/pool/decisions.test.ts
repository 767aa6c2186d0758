import { deepStrictEqual, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import { Deadlines, exclusive, PoolCore, Ticket } from "../../src/pool/index.js"
import { limits } from "./model/limits.js"

// Decisions of the core that no random sequence is sure to come across.

const poolOf = (maxConnections: number, maxConnectionsPerOrigin = Infinity) => {
  const deadlines = new Deadlines(() => {})
  const core = new PoolCore<string>({
    limits: limits({ maxConnections, maxConnectionsPerOrigin }),
    deadlines,
    background: deadlines,
    wallClock: () => 0,
    whenFull: "dial",
    dialPatience: Infinity,
    random: () => 0
  })
  const { state } = core
  const taken = () => {
    const all = state.actions.map((action) => `${action._tag} ${"slot" in action ? action.slot.origin.key : ""}`)
    state.actions.length = 0
    return all
  }
  return { core, deadlines, origin: (key: string) => state.origin(key, exclusive), state, taken }
}

const ticket = (origin: ReturnType<ReturnType<typeof poolOf>["origin"]>, timeout = Infinity) =>
  new Ticket<string>(origin, undefined, timeout, Infinity)

describe("the pool's core", () => {
  it("gives a connection to whom it was given back for, though whoever had it cannot wait any longer either", () => {
    const { core, origin, taken } = poolOf(1)
    const [a, b] = [origin("a"), origin("b")]
    const first = ticket(a)
    core.acquire(first, 0)
    const toA = a.dials.first!
    core.dialSucceeded(toA, "a", 1, false, 0)
    // It has waited for half of its time when the connection comes back.
    core.acquire(ticket(a, 100), 0)
    core.acquire(ticket(b, 10_000), 1)
    taken()
    core.release(first, true, Infinity, 60)
    deepStrictEqual(taken(), ["Close a"])
    core.closed(toA, 61)
    deepStrictEqual(taken(), ["Dial b"])
  })

  it("a warm that is called off has no part in a connection that is made", () => {
    const { core, deadlines, origin, taken } = poolOf(3)
    const a = origin("a")
    const dialed = core.warm(a, 2, 0)
    core.dialSucceeded(dialed[0], "a", 1, false, 0)
    core.stopWarming(dialed, 0)
    strictEqual(a.warming, 0)
    taken()
    core.acquire(ticket(a), 1)
    core.acquire(ticket(a), 1)
    // Its dial is wanted, and stays so.
    deadlines.expire(2)
    strictEqual(a.dials.size, 1)
    core.dialSucceeded(a.dials.first!, "a again", 1, false, 3)
    strictEqual(core.state.leases.size, 2)
  })

  it("lets a way to a server keep its connection for a quantum, though another way to it has waited longer", () => {
    const { core, state, taken } = poolOf(10, 1)
    const [direct, proxied] = ["direct", "proxied"].map((key) => state.origin(key, exclusive, "server"))
    const [first, second, third] = [ticket(direct), ticket(direct), ticket(direct)]
    core.acquire(first, 0)
    const slot = direct.dials.first!
    core.dialSucceeded(slot, "a", 1, false, 0)
    core.acquire(ticket(proxied), 1)
    core.acquire(second, 2)
    core.acquire(third, 2)
    taken()
    core.release(first, true, Infinity, 10)
    deepStrictEqual(taken(), ["Grant direct"])
    core.release(second, true, Infinity, 60)
    deepStrictEqual(taken(), ["Close direct"])
    core.closed(slot, 61)
    deepStrictEqual(taken(), ["Dial proxied"])
  })
})
