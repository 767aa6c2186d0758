import { describe, expect, it } from "@effect/vitest"
import { readdirSync } from "node:fs"
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
