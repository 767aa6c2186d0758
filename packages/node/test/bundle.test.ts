import { assert, describe, it } from "@effect/vitest"
import { build } from "esbuild"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../..", import.meta.url))

interface Bundled {
  /** What is loaded when the program starts, and what only once somebody asks for it. */
  readonly start: number
  readonly later: number
  /** How much of what is loaded at the start comes from each package. */
  readonly packages: Record<string, number>
}

/** What a bundler makes of a program, minified: one file, or another for what is imported by `import()`. */
const bundled = async (contents: string, splitting: boolean): Promise<Bundled> => {
  const { metafile: { outputs } } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    tsconfig: `${root}tsconfig.tools.json`,
    absWorkingDir: root,
    bundle: true,
    splitting,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "silent",
    outdir: "program"
  })
  const first = Object.keys(outputs).find((name) => outputs[name].entryPoint === "<stdin>") ?? ""
  const loaded = new Set<string>()
  const load = (name: string) => {
    if (loaded.has(name)) return
    loaded.add(name)
    for (const { external, kind, path } of outputs[name].imports) {
      if (external !== true && kind === "import-statement") load(path)
    }
  }
  load(first)
  const packages: Record<string, number> = {}
  for (const name of loaded) {
    for (const [file, { bytesInOutput }] of Object.entries(outputs[name].inputs)) {
      const [, found = file] = /(?:.*node_modules\/((?:@[^/]+\/)?[^/]+)|^packages\/\w+)/.exec(file)?.filter(Boolean) ??
        []
      packages[found] = (packages[found] ?? 0) + bytesInOutput
    }
  }
  const size = (names: Iterable<string>) => [...names].reduce((sum, name) => sum + outputs[name].bytes, 0)
  return { start: size(loaded), later: size(Object.keys(outputs).filter((name) => !loaded.has(name))), packages }
}

// docs/versions.md has the figures: when they change on purpose, change them there too.
describe("the size of a program with the client alone", () => {
  it("is what it was", async () => {
    const { later, packages, start } = await bundled(
      `
      import * as HttpClient from "@effect/platform/HttpClient"
      import { HttpClientLayer } from "@sluice/node"
      import * as Effect from "effect/Effect"
      Effect.runPromise(Effect.provide(HttpClient.get("http://127.0.0.1/"), HttpClientLayer.default))
    `,
      true
    )
    assert.isBelow(start, 650_000, JSON.stringify(packages))
    assert.notProperty(packages, "@effect/platform-node")
    // The Public Suffix List is for those who keep cookies.
    assert.notProperty(packages, "tldts")
    assert.isBelow(later, 150_000)
  })

  it("is nothing where the client is imported and not used", async () => {
    const { start } = await bundled(`import "@sluice/node"; import "@sluice/core"; import "@sluice/engine"`, false)
    assert.isBelow(start, 100)
  })
})
