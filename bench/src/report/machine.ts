import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as os from "node:os"
import type { Machine } from "../Report.js"

export const machine = (before: number): Machine => ({
  date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC",
  cpu: os.cpus()[0]?.model.trim() ?? "unknown",
  cores: os.cpus().length,
  memory: `${Math.round(os.totalmem() / 1024 ** 3)} GiB`,
  system: `${os.type()} ${os.release()}`,
  load: [before, os.loadavg()[0]]
})

const measured = ["effect", "@effect/platform", "@effect/platform-node", "undici", "got", "axios", "ky"]

export const versions = (server: string): Record<string, string> => {
  const found: Record<string, string> = { sluice: commit(), node: process.versions.node, server }
  found["node's undici"] = process.versions.undici ?? "none"
  for (const name of measured) found[name] = versionOf(name)
  return found
}

/** The package's own file, whatever its exports hide. */
const versionOf = (name: string): string => {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const file = `${folder}/${name}/package.json`
    if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, "utf8")).version
  }
  return "unknown"
}

const commit = (): string => {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8", stdio: "pipe" }).trim()
  } catch {
    return "unknown"
  }
}
