import { assert, it } from "@effect/vitest"
import type { Files } from "@sluice/node"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { bar } from "../../src/files/bar.js"
import { show } from "../../src/files/show.js"

const events: ReadonlyArray<Files.Event> = [
  { _tag: "Progress", bytes: 512 * 1024, total: Option.some(1024 * 1024) },
  { _tag: "Progress", bytes: 512 * 1024, total: Option.none() },
  { _tag: "Done", bytes: 1024 * 1024, response: undefined as never }
]

it("a bar says how far a transfer is, or how much of who knows what", () => {
  assert.strictEqual(bar(events[0] as Files.Progress), `[${"#".repeat(15)}${"-".repeat(15)}]  50 %  0.5 of 1.0 MiB`)
  assert.strictEqual(bar(events[1] as Files.Progress), "0.5 MiB")
  assert.strictEqual(bar({ bytes: 0, total: Option.some(0) }), `[${"#".repeat(30)}] 100 %  0.0 of 0.0 MiB`)
})

it.effect.each([true, false])(
  "is drawn on one line of a terminal, and once in a log (terminal: %s)",
  (isTTY) =>
    Effect.gen(function*() {
      let written = ""
      const terminal = { isTTY, write: (text: string) => (written += text) !== "" }
      const last = yield* show("down", Stream.fromIterable(events), terminal as never)
      assert.deepStrictEqual(Option.map(last, ({ _tag }) => _tag), Option.some("Done"))
      assert.strictEqual(written.split("\n").length, 2)
      assert.strictEqual(written.split("\r").length, isTTY ? 4 : 1)
    })
)
