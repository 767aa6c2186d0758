// Builds the documentation as a site: `site/.vitepress/dist`. The site is a package of its own, so that nobody who works
// on the code installs what it needs.
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { install } from "./install.mjs"
import { root, run } from "./process.mjs"

const site = `${root}site`
const marker = `${site}/node_modules/.sluice-installed`
const lock = readFileSync(`${site}/package-lock.json`, "utf8")

// TypeDoc reads the types of the packages, and with them those of their dependencies.
if (!(await install())) process.exit(1)

if (!existsSync(marker) || readFileSync(marker, "utf8") !== lock) {
  console.error("Installing what the site needs")
  const { code, output } = await run("npm", ["ci", "--prefix", site, "--ignore-scripts"], {
    quiet: true,
    minutes: 10,
    shell: process.platform === "win32"
  })
  if (code !== 0) {
    console.error(output)
    process.exit(code)
  }
  writeFileSync(marker, lock)
}

process.exitCode = (await run(process.execPath, [`${site}/build.mjs`], { minutes: 10 })).code
