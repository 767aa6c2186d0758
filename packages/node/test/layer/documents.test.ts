import { assert, describe, it } from "@effect/vitest"
import * as options from "@sluice/engine/options"
import { readFileSync } from "node:fs"

const document = readFileSync(new URL("../../../../docs/pool.md", import.meta.url), "utf8")

describe("docs/pool.md", () => {
  it("has every environment variable beside its option, and no other one", () => {
    const written = [...document.matchAll(/^\| `(HTTP_CLIENT_\w+)` \| `([\w.]+)`/gm)].map((
      [, name, path]
    ) => [name, path])
    const known = options.variables(options.layer, "HTTP_CLIENT").map(({ name, path }) => [name, path])
    assert.deepStrictEqual(written, known)
  })

  it("has the defaults of the timeouts", () => {
    for (const [name, millis] of Object.entries(options.defaultsOf(options.timeouts))) {
      const shown = millis === Infinity ? "Infinity" : `${millis / 1000} seconds`
      assert.include(document, `| \`${name}\` | ${shown} |`)
    }
  })
})
