import { assert, describe, it } from "@effect/vitest"
import { build } from "esbuild"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** What a bundler makes of a program, minified, and how much of it comes from each package. */
const bundled = async (contents: string) => {
  const { metafile } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    tsconfig: `${root}tsconfig.tools.json`,
    absWorkingDir: root,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "silent",
    outfile: "program.js"
  })
  const output = metafile.outputs["program.js"]
  const packages: Record<string, number> = {}
  for (const [file, { bytesInOutput }] of Object.entries(output.inputs)) {
    const [, name = file] = /(?:.*node_modules\/((?:@[^/]+\/)?[^/]+)|^packages\/\w+)/.exec(file)?.filter(Boolean) ?? []
    packages[name] = (packages[name] ?? 0) + bytesInOutput
  }
  return { total: output.bytes, packages }
}

// docs/versions.md has the figures: when they change on purpose, change them there too.
describe("the size of a program with the client alone", () => {
  it("is what it was", async () => {
    const { packages, total } = await bundled(`
      import * as HttpClient from "@effect/platform/HttpClient"
      import { HttpClientLayer } from "@sluice/node"
      import * as Effect from "effect/Effect"
      Effect.runPromise(Effect.provide(HttpClient.get("http://127.0.0.1/"), HttpClientLayer.default))
    `)
    assert.isBelow(total, 800_000, JSON.stringify(packages))
    assert.notProperty(packages, "@effect/platform-node")
  })

  it("is nothing where the client is imported and not used", async () => {
    const { total } = await bundled(`import "@sluice/node"; import "@sluice/core"; import "@sluice/engine"`)
    assert.isBelow(total, 100)
  })
})
