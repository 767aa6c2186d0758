import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "node:assert"
import { type Address, NameCache, rotate } from "../../src/network/index.js"

const v4 = (n: number): Address => ({ address: `192.0.2.${n}`, family: 4 })
const v6 = (n: number): Address => ({ address: `2001:db8::${n}`, family: 6 })

describe("Names from name servers", () => {
  it("hold for as long as they say, between a second and five minutes", () => {
    for (const [ttl, held] of [[0, 1000], [30_000, 30_000], [Infinity, 300_000], [86_400_000, 300_000]]) {
      const cache = new NameCache()
      cache.set("a.test", { addresses: [v4(1)], ttl }, 5)
      deepStrictEqual(cache.get("a.test", 4 + held), [v4(1)])
      strictEqual(cache.get("a.test", 5 + held), undefined)
    }
  })

  it("that have no address are asked for again soon", () => {
    const cache = new NameCache()
    cache.set("a.test", { addresses: [], ttl: Infinity }, 0)
    deepStrictEqual(cache.get("a.test", 999), [])
    strictEqual(cache.get("a.test", 1000), undefined)
  })

  it("are no more than a thousand", () => {
    const cache = new NameCache()
    for (let n = 0; n < 1500; n++) cache.set(`${n}.test`, { addresses: [v4(1)], ttl: 60_000 }, 0)
    strictEqual(cache.get("499.test", 1), undefined)
    deepStrictEqual(cache.get("500.test", 1), [v4(1)])
  })
})

describe("Rotation", () => {
  it("begins with the next address of each family, and with the same family", () => {
    const all = [v6(1), v6(2), v4(1), v4(2), v4(3)]
    deepStrictEqual(rotate(all, 0), all)
    deepStrictEqual(rotate(all, 1), [v6(2), v6(1), v4(2), v4(3), v4(1)])
    deepStrictEqual(rotate(all, 5), [v6(2), v6(1), v4(3), v4(1), v4(2)])
    deepStrictEqual(rotate([], 3), [])
  })
})
