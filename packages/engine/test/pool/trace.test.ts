import { deepStrictEqual } from "node:assert"
import { describe, it } from "vitest"
import { Deadlines, exclusive, PoolCore, Ticket } from "../../src/pool/index.js"
import { limits } from "./model/limits.js"

describe("the pool's core", () => {
  it("does what the trace at its top says", () => {
    const deadlines = new Deadlines(() => {})
    const core = new PoolCore<string>({
      limits: limits({ maxConnections: 1, keepAliveExpiry: 5000 }),
      deadlines,
      background: deadlines,
      wallClock: () => 0,
      whenFull: "dial",
      dialPatience: Infinity,
      random: () => 0
    })
    const { state } = core
    const [a, b] = ["a", "b"].map((key) => state.origin(key, exclusive))
    const ticket = (origin: typeof a) => new Ticket<string>(origin, undefined, Infinity, Infinity)

    // An idle connection to b.
    const [toB] = core.warm(b, 1, 0)
    core.dialSucceeded(toB, "b", 1, false, 0)
    state.actions.length = 0

    const t1 = ticket(a)
    const t2 = ticket(a)
    const name = new Map<unknown, string>([[t1, "t1"], [t2, "t2"]])
    const rows: Array<ReadonlyArray<unknown>> = []
    const step = (what: string, decide: () => void) => {
      decide()
      const actions = state.actions.map((action) =>
        action._tag === "Grant"
          ? `Grant ${name.get(action.ticket)}`
          : `${action._tag} ${"slot" in action && action.slot.origin.key}`
      )
      rows.push([what, actions.join() || "-", state.open, state.closing, state.waiting])
      state.actions.length = 0
    }

    step("acquire(t1)", () => core.acquire(t1, 0))
    step("closed(b)", () => core.closed(toB, 0))
    const toA = a.dials.first!
    step("acquire(t2)", () => core.acquire(t2, 0))
    step("dialSucceeded(a)", () => core.dialSucceeded(toA, "a", 1, false, 0))
    step("release(t1)", () => core.release(t1, true, Infinity, 0))
    step("release(t2)", () => core.release(t2, true, Infinity, 0))
    step("expired", () => deadlines.expire(5000))
    step("closed(a)", () => core.closed(toA, 5000))

    deepStrictEqual(rows, [
      ["acquire(t1)", "Close b", 1, 1, 1],
      ["closed(b)", "Dial a", 1, 0, 1],
      ["acquire(t2)", "-", 1, 0, 2],
      ["dialSucceeded(a)", "Grant t1", 1, 0, 1],
      ["release(t1)", "Grant t2", 1, 0, 0],
      ["release(t2)", "-", 1, 0, 0],
      ["expired", "Close a", 1, 1, 0],
      ["closed(a)", "-", 0, 0, 0]
    ])
  })
})
