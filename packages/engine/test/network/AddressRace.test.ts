import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "node:assert"
import { type Address, AddressRace, attemptDelay, interleave } from "../../src/network/index.js"

const v4 = (n: number): Address => ({ address: `192.0.2.${n}`, family: 4 })
const v6 = (n: number): Address => ({ address: `2001:db8::${n}`, family: 6 })

describe("Addresses in the order of RFC 8305", () => {
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<Address>, ReadonlyArray<Address>]> = [
    ["none", [], []],
    ["one", [v4(1)], [v4(1)]],
    ["one family", [v4(2), v4(1)], [v4(2), v4(1)]],
    ["the first decides which family begins", [v4(1), v4(2), v6(1)], [v4(1), v6(1), v4(2)]],
    ["more of the other", [v6(1), v4(1), v4(2), v4(3)], [v6(1), v4(1), v4(2), v4(3)]],
    ["the families in turn", [v6(1), v6(2), v6(3), v4(1), v4(2)], [v6(1), v4(1), v6(2), v4(2), v6(3)]],
    ["the same twice", [v4(1), v6(1), v4(1), v6(1)], [v4(1), v6(1)]]
  ]
  for (const [name, given, expected] of cases) it(name, () => deepStrictEqual(interleave(given), expected))
})

describe("A race of addresses", () => {
  it("starts the next when the last one has been alone for the delay", () => {
    const race = new AddressRace<string>([v6(1), v4(1), v4(2)])
    strictEqual(race.start(1000), race.attempts[0].address)
    strictEqual(race.hasMore, true)
    race.start(1000 + attemptDelay)
    race.start(1000 + 2 * attemptDelay)
    strictEqual(race.hasMore, false)
    strictEqual(race.start(2000), undefined)
    deepStrictEqual(race.attempts.map(({ address, startedAfter }) => [address.address, startedAfter]), [
      ["2001:db8::1", 0],
      ["192.0.2.1", 250],
      ["192.0.2.2", 500]
    ])
  })

  it("is lost when all have failed, and not before", () => {
    const race = new AddressRace<string>([v6(1), v4(1)])
    const first = race.start(0)!
    race.failed(first, "refused")
    strictEqual(race.isLost, false)
    const second = race.start(3)!
    strictEqual(race.isLost, false)
    race.failed(second, "unreachable")
    strictEqual(race.isLost, true)
    deepStrictEqual(race.attempts.map(({ failure }) => failure), ["refused", "unreachable"])
  })

  it("of nothing is lost at once", () => {
    const race = new AddressRace<string>([])
    strictEqual(race.start(0), undefined)
    strictEqual(race.isLost, true)
  })
})
