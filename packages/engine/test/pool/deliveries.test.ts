import { deepStrictEqual, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import { Deliveries } from "../../src/pool/Deliveries.js"

/** An event loop that does one microtask, or one poll, when it is told to. */
const makeLoop = () => {
  const microtasks: Array<() => void> = []
  const polls: Array<() => void> = []
  const defects: Array<unknown> = []
  const deliveries = new Deliveries(
    { defer: (run) => microtasks.push(run), afterPoll: (then) => polls.push(then) },
    (cause) => defects.push(cause)
  )
  return {
    deliveries,
    defects,
    microtasks,
    /** Does all microtasks there are, and says how many there were before only a poll goes on. */
    runMicrotasks: (most: number) => {
      let count = 0
      for (let next = microtasks.shift(); next !== undefined && count < most; next = microtasks.shift()) {
        count++
        next()
      }
      return count
    },
    poll: () => {
      for (const then of polls.splice(0)) then()
    }
  }
}

describe("deliveries", () => {
  it("wait for a poll when they lead to others without end, and go on after it", () => {
    const { deliveries, poll, runMicrotasks } = makeLoop()
    let delivered = 0
    const again = () => {
      delivered++
      deliveries.add(again)
      deliveries.schedule()
    }
    deliveries.add(again)
    deliveries.schedule()
    strictEqual(runMicrotasks(1000), 64)
    poll()
    // The one that waited, and as many again.
    strictEqual(delivered, 65)
    strictEqual(runMicrotasks(1000), 64)
    strictEqual(delivered, 129)
  })

  it("wait for none while polls come by themselves", () => {
    const { deliveries, poll, runMicrotasks } = makeLoop()
    for (let n = 0; n < 1000; n++) {
      deliveries.add(() => {})
      deliveries.schedule()
      strictEqual(runMicrotasks(1), 1)
      if (n % 40 === 39) poll()
    }
  })

  it("come in order, what they add in the next microtask, and one that throws takes none with it", () => {
    const { defects, deliveries, microtasks, runMicrotasks } = makeLoop()
    const order: Array<number> = []
    deliveries.add(() => {
      order.push(1)
      deliveries.add(() => order.push(3))
      deliveries.schedule()
      throw "thrown"
    })
    deliveries.add(() => order.push(2))
    deliveries.schedule()
    deliveries.schedule()
    strictEqual(microtasks.length, 1)
    strictEqual(runMicrotasks(1), 1)
    deepStrictEqual([order, defects, deliveries.size], [[1, 2], ["thrown"], 1])
  })
})
