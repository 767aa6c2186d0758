import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { root, run } from "./process.mjs"

const marker = `${root}node_modules/.sluice-installed`

const folders = [
  "",
  ...readdirSync(`${root}packages`).map((name) => `packages/${name}/`),
  "examples/",
  "bench/"
].filter((folder) => existsSync(`${root}${folder}package.json`))

/** What an installation depends on. It is up to date while this has not changed. */
const fingerprint = () => {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`)
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", ...folders.map((folder) => `${folder}package.json`)]) {
    hash.update(readFileSync(`${root}${file}`))
  }
  return hash.digest("hex")
}

const isInstalled = () =>
  existsSync(marker) && readFileSync(marker, "utf8") === fingerprint() &&
  folders.every((folder) => existsSync(`${root}${folder}node_modules`))

/** pnpm as `packageManager` pins it, brought by npm: neither a global pnpm nor corepack is needed. */
const pnpm = JSON.parse(readFileSync(`${root}package.json`, "utf8")).packageManager

const npm = () => {
  const path = process.env.npm_execpath
  if (path !== undefined && path.endsWith("npm-cli.js")) return { command: process.execPath, args: [path] }
  return { command: "npm", args: [] }
}

/** Installs the dependencies, unless they are there. Silent when all goes well. */
export const install = async () => {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
  if (major < 20 || major === 21 || (major === 20 && minor < 19) || (major === 22 && minor < 12)) {
    console.error(`Sluice needs Node 20.19, 22.12 or newer; this is ${process.version}.`)
    return false
  }
  if (isInstalled()) return true
  console.error(`Installing the dependencies with ${pnpm}`)
  // In production pnpm would leave out the development dependencies. In CI it asks no questions.
  const { NODE_ENV: _, ...env } = process.env
  const { args, command } = npm()
  const { code, output } = await run(
    command,
    [...args, "exec", "--yes", `--package=${pnpm}`, "--", "pnpm", "install", "--frozen-lockfile"],
    { quiet: true, minutes: 10, env: { ...env, CI: "true" }, shell: command === "npm" && process.platform === "win32" }
  )
  if (code !== 0) {
    console.error(output)
    console.error(`The installation failed with exit code ${code}.`)
    return false
  }
  // A workspace package without dependencies gets no folder from pnpm.
  for (const folder of folders) mkdirSync(`${root}${folder}node_modules`, { recursive: true })
  writeFileSync(marker, fingerprint())
  return true
}
