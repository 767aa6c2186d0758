// Builds the site: gathers its pages, writes the reference and the changelog, and lets VitePress make HTML of them.
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "vitepress"
import { changelog } from "./changelog.mjs"
import { check } from "./check.mjs"
import { writeReference } from "./reference.mjs"
import { pageOf, pages, root } from "./sources.mjs"

const site = fileURLToPath(new URL(".", import.meta.url))
const gathered = join(site, "gathered")

/** @param {string} file */
const withFolder = (file) => {
  mkdirSync(dirname(file), { recursive: true })
  return file
}

const gather = () => {
  rmSync(gathered, { recursive: true, force: true })
  for (const [file, page] of pages) {
    const { assets, text } = pageOf(file)
    writeFileSync(withFolder(join(gathered, page)), text)
    for (const asset of assets) cpSync(join(root, asset), withFolder(join(gathered, "public", asset)))
  }
  writeFileSync(join(gathered, "changelog.md"), changelog())
}

gather()
await writeReference(join(gathered, "reference"), join(site, "tsconfig.json"))
await build(site)
const fine = await check(join(site, ".vitepress/dist"), process.env["SITE_BASE"] ?? "/")
// The compiler of the highlighter would keep the process.
process.exit(fine ? 0 : 1)
