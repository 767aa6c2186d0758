import { describe, it } from "@effect/vitest"
import { ESLint } from "eslint"
import { deepStrictEqual, ok } from "node:assert"
import { fileURLToPath } from "node:url"

// Issue 15, section 1: a wall clock that is set must not move what takes time. It is used in one module, for dates.

const eslint = new ESLint({ cwd: fileURLToPath(new URL("../../../", import.meta.url)) })

const rules = ["no-restricted-globals", "no-restricted-properties", "no-restricted-syntax"]

const complaints = async (code: string, filePath: string): Promise<number> => {
  const [{ messages }] = await eslint.lintText(code, { filePath })
  return messages.filter(({ ruleId }) => ruleId !== null && rules.includes(ruleId)).length
}

const wallTime = [
  "export const at = Date.now()",
  "export const at = new Date()",
  "export const at = Date()",
  "export const at = performance.now()",
  "export const at = performance.timeOrigin",
  "export const at = Clock.currentTimeMillis",
  "export const at = clock.unsafeCurrentTimeMillis()",
  "export const { currentTimeMillis } = clock",
  "export const at = DateTime.now",
  "export const at = DateTime.unsafeNow()",
  "export const timer = setTimeout(() => {}, 10)"
]

const packages = ["engine/src/pool", "engine/src/node", "core/src", "core/src/internal", "node/src", "core4/src"]

describe("wall time", { timeout: 60_000 }, () => {
  it("is forbidden by lint in all that we ship", async () => {
    for (const folder of packages) {
      for (const code of wallTime) {
        ok(await complaints(code, `packages/${folder}/other.ts`) > 0, `${code} in ${folder}`)
      }
    }
  })

  it("is there for dates", async () => {
    deepStrictEqual(
      [
        await complaints("export const date = new Date(0)", "packages/core/src/other.ts"),
        await complaints("export const at = Clock.currentTimeNanos", "packages/core/src/other.ts"),
        await complaints("export const date = Clock.currentTimeMillis", "packages/core/src/internal/wallTime.ts")
      ],
      [0, 0, 0]
    )
  })
})
