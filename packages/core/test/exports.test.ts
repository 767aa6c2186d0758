import { describe, expect, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as ts from "typescript"

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** The modules that a package's exports map lets in: all of `src` but what is internal. */
const publicModules = (name: string): ReadonlyArray<string> =>
  readdirSync(`${root}/packages/${name}/src`, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".ts") && !file.startsWith("internal/") && file !== "bin.ts")
    .sort()
    .map((file) => `packages/${name}/src/${file}`)

const compiler: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  skipLibCheck: true,
  noEmit: true,
  types: []
}

describe("the public interface", () => {
  it("is what it was; a change of it is made on purpose, with a changeset", { timeout: 60_000 }, async () => {
    const files = ["core", "node", "test-server"].flatMap(publicModules)
    const program = ts.createProgram(files.map((file) => `${root}/${file}`), compiler)
    const checker = program.getTypeChecker()
    const listed = files.map((file) => {
      const module = checker.getSymbolAtLocation(program.getSourceFile(`${root}/${file}`)!)
      const names = module === undefined ? [] : checker.getExportsOfModule(module).map(({ name }) => name)
      return [file, ...names.sort().map((name) => `  ${name}`)].join("\n")
    })
    // Accept a change with: npx vitest run --project core test/exports.test.ts --update
    await expect(`${listed.join("\n\n")}\n`).toMatchFileSnapshot("exports.txt")
  })
})

describe("what is published", () => {
  const text = (file: string) => readFileSync(`${root}/${file}`, "utf8")
  const manifests = readdirSync(`${root}/packages`).map((name) => JSON.parse(text(`packages/${name}/package.json`)))
  const workspace = JSON.parse(text("package.json"))
  const workflows = readdirSync(`${root}/.github/workflows`).map((name) => text(`.github/workflows/${name}`))

  it("needs the same Node, whose oldest versions the nightly checks try", () => {
    for (const { engines, name } of manifests) expect([name, engines]).toEqual([name, workspace.engines])
    const oldest = [...String(workspace.engines.node).matchAll(/\d+\.\d+\.\d+/g)].map(([version]) => version)
    const nightly = text(".github/workflows/nightly.yml")
    expect([...nightly.matchAll(/node: (\d+\.\d+\.\d+)/g)].map(([, version]) => version)).toEqual(oldest)
    const inWords = `Node ${oldest.map((version) => version.replace(/\.0$/, "")).join(", ")} or newer`
    for (const page of ["README.md", "docs/start.md", "packages/node/README.md"]) expect(text(page)).toContain(inWords)
  })

  it("is all of the packages, and what the workflows call is there", () => {
    const release = text(".github/workflows/release.yml")
    const named = /for package in ([^;]*);/.exec(release)?.[1].split(" ") ?? []
    expect(named.map((name) => `@sluice/${name}`).sort()).toEqual(manifests.map(({ name }) => name).sort())
    for (const [, script] of workflows.join("\n").matchAll(/npm run ([\w:-]+)/g)) {
      expect(Object.keys(workspace.scripts)).toContain(script)
    }
    for (const [, file] of workflows.join("\n").matchAll(/run: bash (\S+)/g)) {
      expect(existsSync(`${root}/${file}`)).toBe(true)
    }
    expect(release).toContain(`npm install --global ${workspace.packageManager}`)
  })
})
