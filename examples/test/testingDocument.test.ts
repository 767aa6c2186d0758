import { assert, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const patterns = `${root}examples/test/patterns`

it("docs/testing.md shows the files of examples/test/patterns, all of them, as they are", () => {
  const blocks = [...readFileSync(`${root}docs/testing.md`, "utf8").matchAll(/^```ts\n([^]*?)^```$/gm)].map((
    [, code]
  ) => code)
  const files = readdirSync(patterns).map((name) => readFileSync(`${patterns}/${name}`, "utf8"))
  assert.deepStrictEqual(blocks.sort(), files.sort())
})
