import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { abandonedWaits } from "../src/demo/abandonedWaits.js"
import { atMost, exactly, type Outcome } from "../src/demo/Outcome.js"
import { Progress } from "../src/demo/Progress.js"
import { recreatedClients } from "../src/demo/recreatedClients.js"
import { redirectAtLimitOne } from "../src/demo/redirectAtLimitOne.js"
import { replay } from "../src/demo/replay.js"
import { sharedClient } from "../src/demo/sharedClient.js"
import type { Terminal } from "../src/demo/Terminal.js"
import { visibleLimits } from "../src/demo/visibleLimits.js"

const assertAllHold = ({ figures }: Outcome) => {
  assert.deepStrictEqual(figures.filter(({ holds }) => !holds), [])
  assert.isAbove(figures.filter(({ by }) => by === "server").length, 0)
}

const valueOf = ({ figures }: Outcome, name: string) => figures.find((figure) => figure.name === name)?.value

describe("the incidents of the demo, in small", () => {
  it.live("#720: clients made again", () =>
    Effect.gen(function*() {
      const outcome = yield* recreatedClients({ batches: 4, connections: 3, requestsPerBatch: 20 })
      assertAllHold(outcome)
      assert.strictEqual(valueOf(outcome, "requests"), "80")
      assert.strictEqual(valueOf(outcome, "most open at once"), "3")
    }))

  it.live("#1171: abandoned waits", () =>
    Effect.gen(function*() {
      const outcome = yield* abandonedWaits({
        connections: 3,
        poolTimeout: Duration.millis(150),
        serverTime: Duration.millis(400),
        tasks: 20
      })
      assertAllHold(outcome)
      assert.strictEqual(valueOf(outcome, "interrupted"), "4")
    }))

  it.live("#289: one connection allowed, and a redirect", () =>
    Effect.gen(function*() {
      const outcome = yield* redirectAtLimitOne({ tasks: 5 })
      assertAllHold(outcome)
      assert.strictEqual(valueOf(outcome, "requests at once over one of them"), "5")
    }))

  it.live("exhaustion: one client in a service", () =>
    Effect.gen(function*() {
      const outcome = yield* sharedClient({ calls: 8, connections: 2, users: 4 })
      assertAllHold(outcome)
      assert.strictEqual(valueOf(outcome, "requests"), "24")
    }))

  it.live("#787: limits that can be found", () =>
    Effect.gen(function*() {
      const outcome = yield* visibleLimits
      assertAllHold(outcome)
      assert.deepStrictEqual(
        outcome.exhibits.map(({ text }) => text.split("\n").length > 0 && text !== ""),
        outcome.exhibits.map(() => true)
      )
    }))

  it.live("they report how far they have come", () =>
    Effect.gen(function*() {
      const reported: Array<string> = []
      yield* recreatedClients({ batches: 2, connections: 1, requestsPerBatch: 1 }).pipe(
        Effect.provideService(Progress, { report: (text) => Effect.sync(() => reported.push(text)) })
      )
      assert.deepStrictEqual(reported, ["1 of 2 requests, 1 of 2 clients", "2 of 2 requests, 2 of 2 clients"])
    }))
})

describe("the report of the demo", () => {
  const make = () => {
    const lines: Array<string> = []
    const line = (text = "") => Effect.sync(() => void lines.push(text))
    const terminal: Terminal = {
      line,
      error: line,
      status: () => Effect.void,
      clearStatus: Effect.void,
      paragraph: (text, indent) => indent + text,
      bold: (text) => text,
      dim: (text) => text,
      good: (text) => text,
      bad: (text) => text
    }
    return { lines, terminal }
  }
  const outcome = (figures: Outcome["figures"]): Outcome => ({ elsewhere: "it leaked", here: "it does not", figures })
  const incident = (figures: Outcome["figures"]) => ({
    name: "some #1",
    title: "a title",
    run: Effect.succeed(outcome(figures))
  })

  it.effect("is good when every figure is", () =>
    Effect.gen(function*() {
      const { lines, terminal } = make()
      assert.isTrue(yield* replay([incident([exactly("server", "requests", 2500, 2500)])], terminal))
      assert.include(lines, "    requests  2,500  ok")
    }))

  it.effect("names what is wrong and goes on", () =>
    Effect.gen(function*() {
      const { lines, terminal } = make()
      const wrong = incident([exactly("server", "left open", 0, 0), atMost("server", "opened", 12, 10)])
      const right = { ...incident([exactly("pool", "permits free", 10, 10)]), name: "other #2" }
      assert.isFalse(yield* replay([wrong, right], terminal))
      assert.include(lines, "    opened     12  WRONG, must be at most 10")
      assert.include(lines, "    permits free  10  ok")
      assert.strictEqual(lines.at(-1), "Wrong: some #1")
    }))

  it.effect("takes a program that fails for a wrong one", () =>
    Effect.gen(function*() {
      const { lines, terminal } = make()
      const broken = { ...incident([]), run: Effect.fail("no server") }
      assert.isFalse(yield* replay([broken], terminal))
      assert.include(lines.join("\n"), "no server")
    }))
})
