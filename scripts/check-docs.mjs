// Compiles the examples in the documents and in the docstrings, as a user of the built packages would.
//
// An example is a block that opens with ```ts. One that opens with ```ts no-check is only counted.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { root, tsc } from "./process.mjs"

/** Where examples are compiled: each face's where its own Effect is found. */
const scratch = ".scratch/docs"
const scratch4 = "packages/node4/.scratch/docs"

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
  /** @type {Array<{ before: number, lines: Array<string>, checked: boolean }>} */
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
      current = { before: index + 1, lines: [], checked: !/\bno-check\b/.test(opened[1] ?? "") }
    }
  })
  if (current !== undefined) throw new Error(`${file}:${current.before}: this example is never closed`)
  return examples
}

/** @type {Map<string, string>} */
const origins = new Map()
let skipped = 0

for (const folder of [scratch, scratch4]) {
  rmSync(`${root}${folder}`, { recursive: true, force: true })
  mkdirSync(`${root}${folder}`, { recursive: true })
}

for (const file of [...documents, ...sources]) {
  for (const { before, checked, lines } of examplesOf(file, file.endsWith(".ts"))) {
    if (!checked) {
      skipped++
      continue
    }
    const name = `${file.replace(/\.(md|ts)$/, "").replaceAll("/", "__")}__${before}.ts`
    origins.set(name, file)
    // The empty lines keep the line numbers of the file that the example comes from.
    writeFileSync(
      `${root}${isOfEffect4(file) ? scratch4 : scratch}/${name}`,
      "\n".repeat(before) + lines.join("\n") + "\n"
    )
  }
}

const count = `${origins.size} examples, ${skipped} marked no-check`

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
