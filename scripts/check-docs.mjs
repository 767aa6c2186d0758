// Compiles the examples in the documents and in the docstrings, as a user of the built packages would.
//
// An example is a block that opens with ```ts. One that opens with ```ts no-check is only counted. Those of the documents are
// for Effect 3, and compiled for Effect 4 as well: as effect4.mjs translates them, or as a block right after it says that
// opens with ```ts effect4.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { hasCounterpart, toEffect4 } from "./effect4.mjs"
import { root, tsc } from "./process.mjs"

/** Where examples are compiled: each face's where its own Effect is found. */
const scratch = ".scratch/docs"
const scratch4 = "packages/node4/.scratch/docs"

/** What examples use besides, for Effect 4. */
const platformNode = "../../../../bench/effect4/node_modules/@effect/platform-node/dist"
const paths4 = {
  "@effect/vitest": ["../../../../scripts/effectVitest4.d.ts"],
  "@effect/platform-node": [`${platformNode}/index.d.ts`],
  "@effect/platform-node/*": [`${platformNode}/*.d.ts`],
  "effect/*": ["../../node_modules/effect/dist/*.d.ts"]
}

/** @param {string} file */
const isOfEffect4 = (file) => /^packages\/(core4|node4)\/|^docs\/effect4\.md$/.test(file)

/**
 * @param {string} folder
 * @param {string} extension
 * @returns {Array<string>}
 */
const filesIn = (folder, extension) =>
  existsSync(`${root}${folder}`)
    ? readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(extension) && !name.includes("node_modules"))
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
      .sort()
    : []

const packages = readdirSync(`${root}packages`)

const documents = [
  "README.md",
  ...packages.map((name) => `packages/${name}/README.md`),
  ...filesIn("docs", ".md")
].filter((file) => existsSync(`${root}${file}`))

const sources = packages.flatMap((name) => filesIn(`packages/${name}/src`, ".ts"))

/**
 * The examples of a file, each as the lines of its code and the number of lines before it.
 *
 * @param {string} file
 * @param {boolean} inComments
 */
const examplesOf = (file, inComments) => {
  const comment = inComments ? /^\s*\* ?/ : /^/
  const open = inComments ? /^\s*\*\s*```ts\b(.*)$/ : /^\s*```ts\b(.*)$/
  const close = inComments ? /^\s*\*\s*```\s*$/ : /^\s*```\s*$/
  /** @type {Array<{ before: number, lines: Array<string>, checked: boolean, isOfEffect4: boolean }>} */
  const examples = []
  /** @type {typeof examples[number] | undefined} */
  let current
  readFileSync(`${root}${file}`, "utf8").split("\n").forEach((line, index) => {
    if (current !== undefined) {
      if (close.test(line)) {
        examples.push(current)
        current = undefined
      } else {
        current.lines.push(line.replace(comment, ""))
      }
      return
    }
    const opened = open.exec(line)
    if (opened !== null) {
      const info = opened[1] ?? ""
      current = {
        before: index + 1,
        lines: [],
        checked: !/\bno-check\b/.test(info),
        isOfEffect4: isOfEffect4(file) || /\beffect4\b/.test(info)
      }
    }
  })
  if (current !== undefined) throw new Error(`${file}:${current.before}: this example is never closed`)
  return examples
}

/** @type {Map<string, string>} */
const origins = new Map()
let skipped = 0
let translated = 0

/** The empty lines keep the line numbers of the file that the example comes from. @param {string} path @param {number} before @param {string} code */
const write = (path, before, code) => writeFileSync(`${root}${path}`, `${"\n".repeat(before)}${code}\n`)

for (const folder of [scratch, scratch4]) {
  rmSync(`${root}${folder}`, { recursive: true, force: true })
  mkdirSync(`${root}${folder}`, { recursive: true })
}

for (const file of [...documents, ...sources]) {
  const examples = examplesOf(file, file.endsWith(".ts"))
  for (const [index, { before, checked, isOfEffect4, lines }] of examples.entries()) {
    if (!checked) {
      skipped++
      continue
    }
    const code = lines.join("\n")
    const name = `${file.replace(/\.(md|ts)$/, "").replaceAll("/", "__")}__${before}.ts`
    origins.set(name, file)
    write(`${isOfEffect4 ? scratch4 : scratch}/${name}`, before, code)
    if (
      isOfEffect4 || !/^(README|docs\/.*)\.md$/.test(file) || examples[index + 1]?.isOfEffect4 || !hasCounterpart(code)
    ) {
      continue
    }
    translated++
    origins.set(`as4__${name}`, `${file} (for Effect 4)`)
    write(`${scratch4}/as4__${name}`, before, toEffect4(code))
  }
}

const count = `${origins.size - translated} examples, ${skipped} marked no-check, ${translated} for Effect 4 as well`

if (origins.size === 0) {
  console.log(count)
} else {
  const folders = [scratch, scratch4].filter((folder) => readdirSync(`${root}${folder}`).length > 0)
  for (const folder of folders) {
    writeFileSync(
      `${root}${folder}/tsconfig.json`,
      JSON.stringify({
        extends: `${folder.replace(/[^/]+/g, "..")}/tsconfig.base.json`,
        compilerOptions: {
          types: ["node"],
          noEmit: true,
          composite: false,
          incremental: false,
          declaration: false,
          declarationMap: false,
          ...(folder === scratch4 ? { paths: paths4 } : {}),
          noUnusedLocals: false,
          noUnusedParameters: false
        },
        include: ["*.ts"]
      })
    )
  }
  const build = await tsc(["-b", ...packages.map((name) => `packages/${name}/tsconfig.src.json`)], { quiet: true })
  const results = build.code === 0 ? [] : [build]
  for (const folder of build.code === 0 ? folders : []) {
    results.push(await tsc(["--noEmit", "--pretty", "false", "-p", folder], { quiet: true }))
  }
  const named = results.map(({ output }) => output).join("").replace(
    /^(?:packages\/node4\/)?\.scratch\/docs\/([^(]+\.ts)\((\d+),(\d+)\)/gm,
    (_, name, line, column) => `${origins.get(name)}:${line}:${column}`
  )
  if (named !== "") console.log(named.trimEnd())
  console.log(count)
  process.exitCode = Math.max(...results.map(({ code }) => code))
}
