import { assert, describe, it } from "vitest"
import { objection } from "../src/internal/effectVersion.js"

describe("the version of effect", () => {
  it("that is installed here fits", () => {
    assert.isUndefined(objection())
  })

  it("that has not what is needed is said with what to do", () => {
    assert.strictEqual(
      objection({ "Metric.registerUnsafe": undefined, "Clock.monotonicTimeNanos": 1 }),
      "@sluice/core4 needs effect 4.1, and the one that is installed has no Metric.registerUnsafe: " +
        "npm install effect@~4.1.0. For effect 3 there is @sluice/core."
    )
  })
})
