// Runs a program of these tests. Node 20 runs no TypeScript by itself, so the compiler goes first.
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

const engine = fileURLToPath(new URL("../", import.meta.url))

/** @param {ReadonlyArray<string>} args */
const node = (...args) => spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1

/**
 * @param {string} program its path in this folder
 * @param {ReadonlyArray<string>} args
 * @param {ReadonlyArray<string>} files what it imports beside code
 * @returns {number} the exit code
 */
export const runTypeScript = (program, args, files = []) => {
  const output = `${engine}.scratch/${program.replace(".ts", "")}`
  const compiled = node(
    createRequire(import.meta.url).resolve("typescript/bin/tsc"),
    `${engine}test/${program}`,
    ...["--outDir", output, "--rootDir", engine, "--module", "nodenext", "--target", "es2022", "--lib", "es2023"],
    ...["--types", "node", "--skipLibCheck"]
  )
  if (compiled !== 0) return compiled
  for (const file of files) {
    mkdirSync(dirname(`${output}/test/${file}`), { recursive: true })
    copyFileSync(`${engine}test/${file}`, `${output}/test/${file}`)
  }
  return node(`${output}/test/${program.replace(".ts", ".js")}`, ...args)
}
