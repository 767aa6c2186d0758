import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { beforeAll } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))

interface Ended {
  readonly code: number | string | null | undefined
  readonly stdout: string
  readonly stderr: string
}

const node = (args: ReadonlyArray<string>) =>
  Effect.async<Ended>((resume) => {
    const child = execFile(process.execPath, [...args], { cwd: root, timeout: 60_000 }, (error, stdout, stderr) => {
      resume(Effect.succeed({ code: error === null ? 0 : error.code, stdout, stderr }))
    })
    return Effect.sync(() => child.kill())
  })

const demo = (...args: ReadonlyArray<string>) => node(["examples/dist/demo.js", ...args])

// The demo as people run it, built from what is here now.
beforeAll(
  () => Effect.runPromise(node(["node_modules/typescript/bin/tsc", "-b", "examples/tsconfig.src.json"])),
  120_000
)

describe("the demo's complaints are one line each, without a stack trace", () => {
  const complains = (name: string, args: Effect.Effect<ReadonlyArray<string>>, expected: RegExp) =>
    it.live(name, () =>
      Effect.gen(function*() {
        const { code, stderr, stdout } = yield* demo(...(yield* args))
        assert.strictEqual(stdout, "")
        assert.match(stderr, expected)
        assert.strictEqual(stderr.split("\n").length, 2)
        assert.strictEqual(code, 1)
      }), 30_000)

  complains("URLs", Effect.succeed(["http://127.0.0.1/"]), /npm run doctor/)
  complains("an unknown option", Effect.succeed(["--fast"]), /--fast is not an option of the demo/)

  it.live("and --help is help", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* demo("--help")
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.include(stdout, "npm run doctor -- URL")
    }), 30_000)
})
