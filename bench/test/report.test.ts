import { assert, describe, it } from "@effect/vitest"
import { compareColumn } from "../src/compare.js"
import { Meter } from "../src/Meter.js"
import { parse } from "../src/options.js"
import { type ContenderResult, missed, quotient, type Report, settle, type SuiteResult } from "../src/Report.js"
import { chart } from "../src/report/svg.js"
import { renderCase, style } from "../src/report/table.js"
import { median, medianInterval, spread } from "../src/statistics.js"
import { atMost, type Case, faster, judged } from "../src/Suite.js"

const job = { task: "load", client: "" } as const
const single: Case = {
  title: "50 at once",
  contenders: ["Sluice", "undici.request"].map((name) => ({ name, job })),
  columns: [
    { metric: "rate", title: "requests/s", digits: 0, better: "higher" },
    { metric: "cpu", title: "CPU µs", digits: 1, better: "lower" }
  ],
  goals: [faster("rate", "undici.request", 1.3), atMost("cpu", "undici.request", 0.5)]
}
const sluice = { name: "Sluice", rounds: [{ rate: 300, cpu: 6 }, { rate: 30, cpu: 60 }, { rate: 310, cpu: 6 }] }
const undici = { name: "undici.request", rounds: [{ rate: 200, cpu: 9 }, { rate: 20, cpu: 90 }, { rate: 200, cpu: 9 }] }

describe("statistics", () => {
  it("the median is the one in the middle, or between the two", () => {
    assert.strictEqual(median([3, 1, 2]), 2)
    assert.strictEqual(median([4, 1, 2, 3]), 2.5)
  })

  it("the interval of a median leaves out as many values as chance may put on one side of it", () => {
    const values = Array.from({ length: 15 }, (_, i) => i + 1)
    // 3 or fewer of 15 on one side: 1.76 %. 4 or fewer: 5.9 %.
    assert.deepStrictEqual(medianInterval(values), [4, 12])
    assert.deepStrictEqual(medianInterval([3, 1, 2]), [1, 3])
  })

  it("two checkouts are compared pair by pair, so that what drifts does not count", () => {
    const pairs = Array.from({ length: 15 }, (_, i) => [{ cpu: 11 * (i + 1) }, { cpu: 10 * (i + 1) }] as const)
    const cpu = compareColumn("cpu", { metric: "cpu", title: "CPU", digits: 1, better: "lower" }, pairs)
    assert.closeTo(cpu.ratio, 1.1, 1e-9)
    assert.isFalse(cpu.passes)
    const rate = compareColumn("rate", { metric: "cpu", title: "rate", digits: 1, better: "higher" }, pairs)
    assert.closeTo(rate.ratio, 1 / 1.1, 1e-9)
    assert.isTrue(rate.passes)
  })

  it("the spread is half of what lies between the extremes", () => {
    assert.strictEqual(spread([90, 100, 110]), 0.1)
  })

  it("quotients are of values of the same round, so that a slow round disturbs neither", () => {
    assert.strictEqual(quotient(sluice, undici, "rate"), 1.5)
  })
})

describe("goals", () => {
  it("a goal is reached or not by the quotient", () => {
    const { goals } = settle(single, [sluice, undici])
    assert.deepStrictEqual(goals.map(({ reached }) => reached), [true, false])
    assert.closeTo(goals[1].value, 2 / 3, 1e-9)
  })

  it("nothing is said of a contender that was not measured", () => {
    const { goals } = settle(single, [sluice, { name: "undici.request", rounds: [], error: "broken" }])
    assert.deepStrictEqual(goals, [])
  })
})

describe("what is missed", () => {
  const suite = (contenders: ReadonlyArray<ContenderResult>): SuiteResult => ({
    name: "requests",
    title: "",
    about: "",
    cases: [settle(single, contenders)]
  })

  it("is each goal that was not reached, with where it is", () => {
    assert.deepStrictEqual(missed([suite([sluice, undici])]), [
      "requests, 50 at once: CPU µs, Sluice ÷ undici.request: at most 0.5"
    ])
  })

  it("is also who could not be measured, and a program that failed", () => {
    const broken = suite([sluice, { name: "undici.request", rounds: [], error: "broken" }])
    assert.deepStrictEqual(missed([broken, { name: "parser", title: "", about: "", cases: [], failed: true }]), [
      "requests, 50 at once: undici.request could not be measured",
      "parser: the program failed"
    ])
  })
})

describe("a quick run", () => {
  const measured = (more: Partial<Case>) => judged({ ...single, ...more }).map(({ name }) => name)
  const others = { contenders: [...single.contenders, { name: "got", job }] }

  it("measures those that a goal or a limit is about", () => {
    assert.deepStrictEqual(measured(others), ["Sluice", "undici.request"])
    assert.deepStrictEqual(measured({ ...others, goals: [], limits: [{ of: "got", metric: "rate", atMost: 1 }] }), [
      "got"
    ])
  })

  it("measures everybody where nothing is judged", () => {
    assert.deepStrictEqual(measured({ ...others, goals: [] }), ["Sluice", "undici.request", "got"])
  })
})

describe("Meter", () => {
  it("percentiles are within three per cent", () => {
    const meter = new Meter(1000)
    const now = performance.now
    let clock = 0
    performance.now = () => clock
    try {
      for (let micros = 1; micros <= 10_000; micros++) {
        clock = micros / 1000
        meter.end(0, undefined)
      }
    } finally {
      performance.now = now
    }
    assert.closeTo(meter.percentile(0.5), 5000, 150)
    assert.closeTo(meter.percentile(0.99), 9900, 300)
    assert.strictEqual(meter.percentile(0.001), 10)
  })

  it("a wrong response ends the measurement", () => {
    const meter = new Meter(1000, "expected")
    assert.throws(() => meter.end(meter.begin(), "something else"), /expected the response/)
  })
})

describe("reports", () => {
  const result = settle(single, [sluice, undici, { name: "ky", rounds: [], error: "it <broke>" }])

  it("the table shows medians, quotients, goals and what failed", () => {
    const table = renderCase(result, style(false))
    assert.match(table, /Sluice +300 +±47% +6\.0/)
    assert.match(table, /undici\.request +200 +±45% +9\.0 +1\.50× +0\.67×/)
    assert.match(table, /✓ requests\/s, Sluice ÷ undici\.request: at least 1\.3; it is 1\.50/)
    assert.match(table, /ky: it <broke>/)
  })

  it("a chart is well-formed whatever the names are", () => {
    const cpu = "A & B <processor>"
    const report: Report = {
      machine: { date: "2026-01-01", cpu, cores: 2, memory: "1 GiB", system: "Linux", load: [0, 1] },
      versions: { node: "20", undici: "7", effect: "3", server: "nginx" },
      quick: false,
      rounds: 3,
      suites: []
    }
    const svg = chart({ name: "requests", title: "a < b", about: "", cases: [result] }, report)
    assert.notMatch(svg, /A & B|<processor>|a < b/)
    assert.match(svg, /class="subject"/)
    assert.match(svg, /A &#38; B &#60;processor&#62;/)
  })
})

describe("the command line", () => {
  const names = ["requests", "post"]

  it("names suites and options", () => {
    assert.deepStrictEqual(parse(["post", "--quick", "--rounds", "7", "--json", "x.json"], names), {
      suites: ["post"],
      quick: true,
      rounds: 7,
      json: "x.json",
      against: undefined,
      help: false
    })
  })

  it("says what is wrong", () => {
    assert.match(parse(["pots"], names) as string, /no suite pots/)
    assert.match(parse(["--rounds", "0"], names) as string, /1 to 100/)
    assert.match(parse(["--wrong"], names) as string, /wrong/)
  })
})
