import { describe, it } from "@effect/vitest"
import { deepStrictEqual, ok } from "node:assert"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { posix } from "node:path"
import { fileURLToPath } from "node:url"
import * as ts from "typescript"

const root = fileURLToPath(new URL("../../..", import.meta.url))

interface Import {
  readonly specifier: string
  /** Gone after compilation: `import type` and `export type`. */
  readonly typeOnly: boolean
}

const parsed = (file: string, text: string): ReadonlyArray<Import> => {
  const imports: Array<Import> = []
  const add = (specifier: ts.Node | undefined, typeOnly: boolean) => {
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) {
      imports.push({ specifier: specifier.text, typeOnly })
    }
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.isTypeOnly === true)
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false)
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest))
  return imports
}

const read = new Map<string, ReadonlyArray<Import>>()

/** Several tests ask for the same files, and parsing them is most of the time. */
const importsOf = (file: string): ReadonlyArray<Import> => {
  const found = read.get(file) ?? parsed(file, readFileSync(`${root}/${file}`, "utf8"))
  read.set(file, found)
  return found
}

/** What each part of the workspace may import from outside its own folder. */
const parts: ReadonlyArray<readonly [folder: string, allowed: RegExp]> = [
  ["packages/engine/src", /^$/],
  ["packages/core/src", /^(tldts$|(effect|@effect\/platform)(\/|$)|@sluice\/engine(\/[a-z0-9]+)*$)/],
  ["packages/node/src", /^(node:|(effect|@effect\/platform|@sluice\/core)(\/|$)|@sluice\/engine(\/[a-z0-9]+)?$)/],
  // The face for Effect 4 knows nothing of the one for Effect 3.
  ["packages/core4/src", /^(tldts$|effect(\/|$)|@sluice\/engine(\/[a-z0-9]+)*$)/],
  ["packages/node4/src", /^(node:|(effect|@sluice\/core4)(\/|$)|@sluice\/engine(\/[a-z0-9]+)?$)/],
  // The server knows nothing of the client that it tests. How routes are written is the same for mocks and servers, and so
  // is how options are checked.
  ["packages/test-server/src", /^(node:|(effect|@effect\/platform)(\/|$)|@sluice\/engine\/(options|routes)$)/],
  ["packages/engine/test", /^(?!@sluice\/(?!engine(\/|$)))/],
  ["packages/core/test", /^(?!@sluice\/(?!(core|engine)(\/|$)))/],
  ["packages/core4/test", /^(?!@sluice\/(?!(core4|engine)(\/|$)))/],
  ["packages/node4/test", /^(?!@sluice\/(examples|bench)(\/|$))/],
  ["packages/test-server/test", /^(?!@sluice\/(?!test-server(\/|$)))/],
  ["packages/node/test", /^(?!@sluice\/(examples|bench)(\/|$))/],
  ["examples", /^(?!@sluice\/bench(\/|$))/],
  ["bench", /^(?!@sluice\/examples(\/|$))/]
]

/**
 * The rooms of the engine, and which others each may enter besides the words that all share (the files in `src` itself).
 * Types count as well: a room stands above all that it names.
 */
const rooms: Readonly<Record<string, ReadonlyArray<string>>> = {
  http1: [],
  http2: [],
  options: [],
  network: ["http1"],
  pool: [],
  call: ["pool", "http1"],
  routes: ["options"],
  client: ["call", "http1"],
  memory: ["call", "http1", "http2"],
  metrics: ["pool"],
  mock: ["client", "memory", "options", "routes"],
  node: ["call", "client", "http1", "http2", "network", "options", "pool"]
}

const engine = "packages/engine/src"

/** These two know nothing but octets: not even what an origin is. */
const sealed = ["http1", "http2"]

/** Why a file of the engine may not import another one. */
const engineObjection = (file: string, target: string): string | undefined => {
  const roomOf = (path: string) => /^packages\/engine\/src\/([^/]+)\//.exec(path)?.[1]
  const [from, to] = [roomOf(file), roomOf(target)]
  if (from === to) return undefined
  if (from === undefined) {
    // The entry of the engine, and the words below all rooms.
    return `${file} imports ${target}: what all rooms share stands below them`
  }
  if (to === undefined) {
    return sealed.includes(from) ? `${file} imports ${target}, but ${from} imports nothing but itself` : undefined
  }
  return rooms[from]?.includes(to) === true ? undefined : `${file} imports ${target}: ${from} stands below ${to}`
}

/**
 * The words that all of a package speaks: errors, and the models that options are checked with. Internal modules run these
 * public ones, and no others.
 */
const vocabulary =
  /^packages\/(core4?\/src\/(Connector|Idempotency|InvalidOptions|Limits|Origin|Timeouts|TransportError)|test-server\/src\/TestAuthority)\.js$/

const within = (folder: string, path: string) => path.startsWith(`${folder}/`)

/** Why a file of the workspace may not have this import; `undefined` when it may. */
const objection = (file: string, { specifier, typeOnly }: Import): string | undefined => {
  const target = specifier.startsWith(".") ? posix.join(posix.dirname(file), specifier) : undefined
  if (within(engine, file) && target !== undefined && within(engine, target)) return engineObjection(file, target)
  if (within(`${engine}/node`, file) && specifier.startsWith("node:")) return undefined
  const [folder, allowed] = parts.find(([folder]) => within(folder, file))!
  if (target === undefined) {
    return allowed.test(specifier) && !/^@sluice\/[^/]+\/internal\//.test(specifier)
      ? undefined
      : `${file} imports ${specifier}`
  }
  const home = folder.replace(/\/(src|test)$/, "")
  // Tests reach the sources of their own package, internal ones too.
  if (!within(folder, target) && (folder.endsWith("/src") || !within(home, target))) {
    return `${file} imports ${specifier}, which is outside ${home}`
  }
  // A public module names the types that its implementation in internal speaks of: such an import is gone at run time.
  if (
    !typeOnly && folder.endsWith("/src") && within(`${folder}/internal`, file) &&
    !within(`${folder}/internal`, target) && !vocabulary.test(target)
  ) {
    return `${file} imports ${specifier}: of the public modules, internal ones run the vocabulary only`
  }
  return undefined
}

/** One circle of imports, its first file twice; empty when there is none. */
const circleIn = (imported: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlyArray<string> => {
  const done = new Set<string>()
  const walk = (file: string, path: ReadonlyArray<string>): ReadonlyArray<string> => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return []
    for (const next of imported.get(file) ?? []) {
      const circle = walk(next, [...path, file])
      if (circle.length > 0) return circle
    }
    done.add(file)
    return []
  }
  for (const file of imported.keys()) {
    const circle = walk(file, [])
    if (circle.length > 0) return circle
  }
  return []
}

const filesIn = (folder: string): ReadonlyArray<string> =>
  existsSync(`${root}/${folder}`)
    ? readdirSync(`${root}/${folder}`, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && !/(^|[\\/])(node_modules|dist)[\\/]/.test(name))
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    : []

// It reads every file of the workspace, which takes its time where much else runs.
describe("architecture", { timeout: 60_000 }, () => {
  for (const [folder] of parts) {
    it(`no import of ${folder} runs back`, () => {
      const objections = filesIn(folder).flatMap((file) => importsOf(file).flatMap((_) => objection(file, _) ?? []))
      deepStrictEqual(objections, [])
    })
  }

  it.each(parts)("no module of %s imports itself by way of others, types included", (folder) => {
    const imported = new Map(
      filesIn(folder).map((file) => [
        file,
        importsOf(file)
          .filter(({ specifier }) => specifier.startsWith("."))
          .map(({ specifier }) => posix.join(posix.dirname(file), specifier).replace(/\.js$/, ".ts"))
      ])
    )
    deepStrictEqual(circleIn(imported), [])
  })

  it.each<readonly [imports: Readonly<Record<string, ReadonlyArray<string>>>, circle: ReadonlyArray<string>]>([
    [{ a: ["b", "c"], b: ["c"], c: [] }, []],
    [{ a: ["a"] }, ["a", "a"]],
    [{ a: ["b"], b: ["c"], c: ["d"], d: ["b"] }, ["b", "c", "d", "b"]]
  ])("finds the circle in %o", (imports, circle) => {
    deepStrictEqual(circleIn(new Map(Object.entries(imports))), circle)
  })

  it("finds files to look at", () => {
    ok(filesIn("packages/core/src").length > 1)
    ok(filesIn(engine).length > 1)
  })

  it("reads every form of import", () => {
    deepStrictEqual(
      parsed(
        "a.ts",
        `import "a"; import * as B from "b"; import type { C } from "c"; import { type D } from "d"
         export * from "e"; export type { F } from "f"; const g = await import("g"); type H = import("h").H`
      ),
      [
        { specifier: "a", typeOnly: false },
        { specifier: "b", typeOnly: false },
        { specifier: "c", typeOnly: true },
        { specifier: "d", typeOnly: false },
        { specifier: "e", typeOnly: false },
        { specifier: "f", typeOnly: true },
        { specifier: "g", typeOnly: false },
        { specifier: "h", typeOnly: true }
      ]
    )
  })

  const value = (specifier: string): Import => ({ specifier, typeOnly: false })
  const type = (specifier: string): Import => ({ specifier, typeOnly: true })

  it.each<readonly [file: string, imported: Import]>([
    ["packages/core/src/ConnectionPool.ts", value("node:net")],
    ["packages/core/src/ConnectionPool.ts", value("@sluice/node")],
    ["packages/core/src/ConnectionPool.ts", value("undici")],
    ["packages/core/src/ConnectionPool.ts", value("../../node/src/Socket.js")],
    ["packages/core/src/ConnectionPool.ts", value("../test/support.js")],
    ["packages/core/src/internal/connectionPool.ts", value("../ConnectionPool.js")],
    ["packages/engine/src/pool/PoolCore.ts", value("effect/Effect")],
    ["packages/engine/src/pool/PoolCore.ts", type("effect/Effect")],
    ["packages/engine/src/pool/PoolCore.ts", type("../call/Call.js")],
    ["packages/engine/src/Failure.ts", type("./pool/PoolCore.js")],
    ["packages/engine/src/call/Call.ts", value("node:net")],
    ["packages/engine/src/pool/PoolCore.ts", value("../http1/Parser.js")],
    ["packages/engine/src/http1/Parser.ts", value("../bytes.js")],
    ["packages/core/test/pool.test.ts", value("@sluice/node")],
    ["packages/core/test/pool.test.ts", value("../../node/src/Socket.js")],
    ["packages/node/src/Socket.ts", value("@sluice/engine/pool/PoolCore")],
    ["packages/node/src/Socket.ts", value("@sluice/test-server")],
    ["packages/node/src/Socket.ts", value("../../core/src/Origin.js")],
    ["packages/node/src/Socket.ts", value("../../../examples/src/demo.js")],
    ["packages/test-server/src/Server.ts", value("@sluice/node")],
    ["examples/src/demo.ts", value("../../packages/node/src/Socket.js")]
  ])("%s must not have %o", (file, imported) => {
    ok(objection(file, imported) !== undefined)
  })

  it.each<readonly [file: string, imported: Import]>([
    ["packages/core/src/ConnectionPool.ts", value("effect/Effect")],
    ["packages/core/src/ConnectionPool.ts", value("@effect/platform/HttpClient")],
    ["packages/core/src/ConnectionPool.ts", value("./internal/connectionPool.js")],
    ["packages/core/src/internal/connectionPool.ts", value("@sluice/engine/pool")],
    ["packages/core/src/internal/connectionPool.ts", type("../ConnectionPool.js")],
    ["packages/engine/src/pool/PoolCore.ts", value("./Slot.js")],
    ["packages/engine/src/pool/PoolCore.ts", type("../Origin.js")],
    ["packages/engine/src/call/Call.ts", value("../pool/PoolCore.js")],
    ["packages/engine/src/node/socket.ts", value("node:net")],
    ["packages/engine/test/pool/model.test.ts", value("../../src/pool/PoolCore.js")],
    ["packages/node/src/Socket.ts", value("node:net")],
    ["packages/node/src/Socket.ts", value("@sluice/core/Origin")],
    ["packages/node/test/socket.test.ts", value("@sluice/test-server")],
    ["examples/src/demo.ts", value("@sluice/node")]
  ])("%s may have %o", (file, imported) => {
    deepStrictEqual(objection(file, imported), undefined)
  })
})
