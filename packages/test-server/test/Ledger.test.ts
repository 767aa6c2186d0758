import { assert, describe, it } from "@effect/vitest"
import { Ledger } from "../src/internal/ledger.js"

const turns = async (count: number) => {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve))
}

describe("the most that were open at once", () => {
  it("is not raised by connections whose ends are seen late, one after the other", async () => {
    const ledger = new Ledger(10, 10)
    const first = ledger.connectionOpened(1)
    await turns(10)
    // A client that is allowed one: each has ended before the next one was opened, and is seen to later.
    const second = ledger.connectionOpened(2)
    await turns(3)
    ledger.connectionClosed(first)
    const third = ledger.connectionOpened(3)
    await turns(2)
    ledger.connectionClosed(second)
    await turns(10)
    assert.strictEqual(ledger.snapshot().maxOpenConnections, 1)
    ledger.connectionClosed(third)
  })

  it("is raised by those that stay", async () => {
    const ledger = new Ledger(10, 10)
    for (const port of [1, 2, 3]) ledger.connectionOpened(port)
    await turns(10)
    assert.strictEqual(ledger.snapshot().maxOpenConnections, 3)
  })
})
