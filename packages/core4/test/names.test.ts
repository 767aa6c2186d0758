import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as ts from "typescript"
import { assert, describe, it } from "vitest"
import { differences } from "./differences.js"

const packages = fileURLToPath(new URL("../..", import.meta.url))

const filesOf = (folder: string): ReadonlyArray<string> =>
  readdirSync(`${packages}/${folder}/src`, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".ts"))

const parse = (path: string): ts.SourceFile =>
  ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest)

/** Values and types that a module exports by name. */
const exportsOf = (path: string): ReadonlyArray<string> =>
  parse(path).statements.flatMap((statement): ReadonlyArray<string> => {
    if (ts.isExportDeclaration(statement)) {
      const clause = statement.exportClause
      if (clause === undefined) return [`* from ${statement.moduleSpecifier?.getText() ?? ""}`]
      return ts.isNamespaceExport(clause) ? [clause.name.text] : clause.elements.map(({ name }) => name.text)
    }
    const isExported = ts.canHaveModifiers(statement) &&
      ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true
    if (!isExported) return []
    if (ts.isVariableStatement(statement)) {
      return statement.declarationList.declarations.map(({ name }) => (name as ts.Identifier).text)
    }
    const { name } = statement as ts.DeclarationStatement
    return name === undefined ? [] : [(name as ts.Identifier).text]
  })

/** The members of the interfaces that are options by their name, but for what a pool gives its host. */
const optionsOf = (path: string): ReadonlyArray<string> =>
  parse(path).statements.flatMap((statement) =>
    ts.isInterfaceDeclaration(statement) && /^(?!Host).*(Options|Limits|Timeouts)$/.test(statement.name.text)
      ? statement.members.flatMap(({ name }) =>
        name !== undefined && ts.isIdentifier(name) ? [`${statement.name.text}.${name.text}`] : []
      )
      : []
  )

const isPublic = (file: string): boolean => !file.startsWith("internal/")

describe.each(["core", "node"])("%s and its face for Effect 4", (name) => {
  const all = (folder: string, isWanted: (file: string) => boolean, read: (path: string) => ReadonlyArray<string>) =>
    new Set(
      filesOf(folder).filter(isWanted).flatMap((file) =>
        read(`${packages}/${folder}/src/${file}`).map((found) => `${file.replace(/\.ts$/, "")} ${found}`)
      )
    )

  const compare = (three: ReadonlySet<string>, four: ReadonlySet<string>) => {
    const listed = new Map(Object.entries(differences))
    const unlisted = [
      ...[...three].filter((found) => !four.has(found)).map((found) => `${name} alone has ${found}`),
      ...[...four].filter((found) => !three.has(found)).map((found) => `${name}4 alone has ${found}`)
    ].filter((difference) => !listed.has(difference))
    assert.deepStrictEqual(unlisted, [])
  }

  it("export the same names, but for what is listed with its reason", () => {
    compare(all(name, isPublic, exportsOf), all(`${name}4`, isPublic, exportsOf))
  })

  it("have the same options", () => {
    const exists = (folder: string) => (file: string) => existsSync(`${packages}/${folder}/src/${file}`)
    compare(
      all(name, (file) => isPublic(file) || exists(`${name}4`)(file), optionsOf),
      all(`${name}4`, (file) => isPublic(file) || exists(name)(file), optionsOf)
    )
  })

  it("what is listed is different indeed", () => {
    const three = all(name, isPublic, exportsOf)
    const four = all(`${name}4`, isPublic, exportsOf)
    for (const difference of Object.keys(differences)) {
      const [, which, found] = /^(\w+) alone has (.*)$/.exec(difference) ?? []
      if (which === name) assert.isTrue(three.has(found) && !four.has(found), difference)
      if (which === `${name}4`) assert.isTrue(four.has(found) && !three.has(found), difference)
    }
  })
})
