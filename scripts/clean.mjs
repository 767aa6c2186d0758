// Removes everything that a build or a test run made.
import { readdirSync, rmSync } from "node:fs"
import { root } from "./process.mjs"

const folders = ["", "examples/", "bench/", ...readdirSync(`${root}packages`).map((name) => `packages/${name}/`)]

for (const folder of folders) {
  for (const made of ["dist", ".tsbuild", ".scratch", "coverage"]) {
    rmSync(`${root}${folder}${made}`, { recursive: true, force: true })
  }
}
