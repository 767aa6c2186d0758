// What users get: the packages are packed, installed into fresh projects outside of the workspace, and used.
//
//   npm run installed                  npm, with the newest peers of Effect 3 and 4: compiled, run, required, and what publint and attw say
//   npm run installed -- --peers       the oldest and the newest of each line of the peers, and what those that do not fit say
//   npm run installed -- --latest      the newest peers that there are today, whether they are in the ranges or not
//   npm run installed -- --runtimes    Bun and Deno, as npm has them
//   npm run installed -- --managers    npm, pnpm, yarn and bun, from a registry on this machine
//   npm run installed -- --all         all of it; what the nightly workflow runs
//   … --packed                         what was packed before is used again
import { execFile, spawn } from "node:child_process"
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { install } from "./install.mjs"
import { root } from "./process.mjs"

const asked = process.argv.slice(2)
/** @param {string} name */
const wants = (name) => asked.includes(`--${name}`) || asked.includes("--all")

const scratch = join(root, ".scratch/installed")
const packed = join(scratch, "packed")
/** Those of a user of Effect 3, and those of a user of Effect 4. */
const faces = { effect3: ["engine", "core", "node", "test-server"], effect4: ["engine", "core4", "node4"] }
const packages = [...new Set([...faces.effect3, ...faces.effect4])]
const { packageManager: pnpm } = JSON.parse(readFileSync(`${root}package.json`, "utf8"))
/** @param {string} name */
const manifestOf = (name) => JSON.parse(readFileSync(`${root}packages/${name}/package.json`, "utf8"))
/** @param {string} name */
const devDependenciesOf = (name) => manifestOf(name).devDependencies
const effect4 = devDependenciesOf("node4").effect
const newest = devDependenciesOf("node")

/** The pairs that fit each other, oldest first. The last one is what the workspace itself is tested with. */
const peers = [
  ["3.20.0", "0.95.0"],
  ["3.21.0", "0.96.0"],
  ["3.22.0", "0.97.0"],
  [newest.effect, newest["@effect/platform"]]
]

const tools = { publint: "publint@0.3.25", attw: "@arethetypeswrong/cli@0.18.5", verdaccio: "verdaccio@6.2.4" }

/** @type {Array<string>} */
const failed = []

/**
 * Runs a program, and reports in one line what came of it. Its output is shown if it fails.
 *
 * @param {string} title
 * @param {string} cwd
 * @param {string} command
 * @param {ReadonlyArray<string>} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<boolean>}
 */
const step = (title, cwd, command, args, env = {}) =>
  new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 300_000
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text
      })
    }
    /** @param {boolean} fine */
    const done = (fine) => {
      console.log(`${fine ? "ok    " : "FAILED"} ${title}`)
      if (!fine) {
        console.log(output.trimEnd().split("\n").slice(-40).join("\n"))
        failed.push(title)
      }
      resolve(fine)
    }
    child.on("error", (error) => {
      output += error.message
      done(false)
    })
    child.on("close", (code) => done(code === 0))
  })

/**
 * A folder with nothing but what a user's has.
 *
 * @param {string} name
 * @param {string} [consumer] what is in it besides
 */
const project = (name, consumer = "consumer") => {
  const folder = join(scratch, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }))
  for (const file of readdirSync(join(root, "scripts", consumer))) {
    copyFileSync(join(root, "scripts", consumer, file), join(folder, file))
  }
  return folder
}

/** @param {ReadonlyArray<string>} names */
const tarballs = (names = faces.effect3) =>
  readdirSync(packed).filter((file) => names.some((name) => file.startsWith(`sluice-${name}-0`)))
    .map((name) => join(packed, name))

const pack = async () => {
  if (asked.includes("--packed")) return true
  rmSync(scratch, { recursive: true, force: true })
  mkdirSync(packed, { recursive: true })
  for (const name of packages) {
    const folder = join(root, "packages", name)
    const args = ["exec", "--yes", `--package=${pnpm}`, "--", "pnpm", "pack", "--pack-destination", packed]
    if (!(await step(`pack ${name}`, folder, "npm", args))) return false
  }
  return true
}

/** @param {ReadonlyArray<string>} what */
const npmInstall = (what) => ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...what]

/** @param {string} folder @param {string} title */
const run = (folder, title) => step(`${title}: runs`, folder, process.execPath, ["smoke.mjs"])

/** @param {string} folder @param {string} title */
const compiles = (folder, title) =>
  step(`${title}: its types compile`, folder, process.execPath, ["node_modules/typescript/bin/tsc", "-p", "."])

const types = ["typescript@5.9.3", "@types/node@20"]

const basic = async () => {
  const folder = project("npm")
  const [effect, platform] = /** @type {[string, string]} */ (peers.at(-1))
  const what = [...tarballs(), `effect@${effect}`, `@effect/platform@${platform}`, ...types]
  if (!(await step("npm install", folder, "npm", npmInstall(what)))) return
  await run(folder, "npm")
  await compiles(folder, "npm")
  await step("the command of the test server", folder, "npx", ["sluice-test-server", "--version"])
  await step("require", folder, process.execPath, [
    "--input-type=commonjs",
    "-e",
    `
      for (const name of ["@sluice/core", "@sluice/core/testing", "@sluice/node", "@sluice/test-server"]) require(name)
    `
  ])
  for (const file of tarballs(packages)) {
    const name = file.slice(packed.length + 1)
    await step(`publint ${name}`, folder, "npx", ["--yes", tools.publint, file, "--strict"])
    await step(`attw ${name}`, folder, "npx", ["--yes", tools.attw, file, "--profile", "esm-only"])
  }
}

const withEffect4 = async () => {
  const folder = project("effect-4", "consumer4")
  const what = [...tarballs(faces.effect4), `effect@${effect4}`, ...types]
  if (!(await step("Effect 4: npm install", folder, "npm", npmInstall(what)))) return
  await run(folder, "Effect 4")
  await compiles(folder, "Effect 4")
}

const withPeers = async () => {
  for (const [effect, platform] of peers.slice(0, -1)) {
    const title = `effect ${effect}, platform ${platform}`
    const folder = project(`effect-${effect}`)
    const what = [...tarballs(), `effect@${effect}`, `@effect/platform@${platform}`, ...types]
    if (!(await step(`${title}: npm install`, folder, "npm", npmInstall(what)))) continue
    await run(folder, title)
    await compiles(folder, title)
  }
}

/** What is said where npm was made to install a peer that does not fit: by Node, or by the package where Node finds all modules. */
const misfits = async () => {
  const [effect3, platform] = /** @type {[string, string]} */ (peers.at(-1))
  /** @type {ReadonlyArray<readonly [title: string, face: keyof typeof faces, peers: ReadonlyArray<string>, name: string, says: RegExp]>} */
  const cases = [
    [
      "Effect 3 beside @sluice/core4",
      "effect4",
      [`effect@${effect3}`],
      "@sluice/core4",
      /'\.\/http\/\w+' is not defined by "exports"/
    ],
    [
      "Effect 4 beside @sluice/core",
      "effect3",
      [`effect@${effect4}`, `@effect/platform@${platform}`],
      "@sluice/core",
      /Cannot find module '.*effect\/dist\/\w+\.js'/
    ],
    [
      "Effect 4.0.0 beside @sluice/core4",
      "effect4",
      ["effect@4.0.0"],
      "@sluice/core4",
      /needs effect 4\.1.*npm install effect@~4\.1\.0/
    ]
  ]
  for (const [title, face, installed, name, says] of cases) {
    const folder = project(
      `misfit-${cases.findIndex(([of]) => of === title)}`,
      face === "effect3" ? "consumer" : "consumer4"
    )
    const what = [...tarballs(faces[face]), ...installed, "--force"]
    if (!(await step(`${title}: npm install --force`, folder, "npm", npmInstall(what)))) continue
    await step(`${title}: says so`, folder, process.execPath, [
      "--input-type=module",
      "-e",
      `
      const said = await import(${JSON.stringify(name)}).then(() => "nothing", ({ message }) => message)
      if (!${says}.test(said)) throw new Error("It said: " + said)
    `
    ])
  }
}

/** @param {string} name @returns {Promise<string>} the newest version of it that the registry has */
const latestOf = (name) =>
  new Promise((resolve, reject) => {
    execFile(
      "npm",
      ["view", name, "version"],
      (error, stdout) => error === null ? resolve(stdout.trim()) : reject(error)
    )
  })

/** Each face with the newest of what it stands on. Those that npm would refuse are installed all the same. */
const withLatest = async () => {
  const latest = await latestOf("effect")
  const four = project("effect-latest", "consumer4")
  const title = `effect@latest, ${latest} (peer ${manifestOf("node4").peerDependencies.effect})`
  if (
    await step(`${title}: npm install`, four, "npm", [
      ...npmInstall([...tarballs(faces.effect4), `effect@${latest}`, ...types]),
      "--force"
    ])
  ) {
    await run(four, title)
    await compiles(four, title)
  }
  const three = project("effect-3-latest")
  const newest3 = `effect@3, @effect/platform@latest ${await latestOf("@effect/platform")}`
  if (
    await step(`${newest3}: npm install`, three, "npm", [
      ...npmInstall([...tarballs(), "effect@3", "@effect/platform@latest", ...types]),
      "--force"
    ])
  ) {
    await run(three, newest3)
    await compiles(three, newest3)
  }
}

/** Where a package of npm has its program, which its install script would put elsewhere. @param {string} folder */
const runtimes = (folder) => ({
  bun: ["node_modules/bun/bin/bun.exe", "node_modules/@oven/bun-linux-x64/bin/bun"]
    .map((path) => join(folder, path)).find(existsSync) ?? "bun",
  deno: join(folder, "node_modules/deno/bin.cjs")
})

const onRuntimes = async () => {
  const folder = project("runtimes")
  const [effect, platform] = /** @type {[string, string]} */ (peers.at(-1))
  const what = [...tarballs(), `effect@${effect}`, `@effect/platform@${platform}`, "bun", "deno"]
  const args = ["install", "--no-audit", "--no-fund", ...what]
  if (!(await step("Bun and Deno: npm install", folder, "npm", args))) return
  const { bun, deno } = runtimes(folder)
  await step("Bun: runs", folder, bun, ["smoke.mjs"])
  await step("Deno: runs", folder, process.execPath, [deno, "run", "--allow-all", "smoke.mjs"])
}

const registry = "http://127.0.0.1:48730/"

const config = `
storage: ./storage
uplinks: { npmjs: { url: "https://registry.npmjs.org/", maxage: 1h } }
packages:
  "@sluice/*": { access: $all, publish: $anonymous }
  "**": { access: $all, proxy: npmjs }
log: { type: stdout, level: error }
`

const withManagers = async () => {
  const folder = project("registry")
  writeFileSync(join(folder, "config.yaml"), config)
  // It asks for `node-fetch@cjs`, a tag that not every registry passes on.
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "registry", private: true, overrides: { "node-fetch": "2.7.0" } })
  )
  if (
    !(await step(
      "verdaccio: npm install",
      folder,
      "npm",
      ["install", "--no-audit", "--no-fund", tools.verdaccio, pnpm, "@yarnpkg/cli-dist@4", "bun"]
    ))
  ) return
  const { host, port } = new URL(registry)
  const server = spawn(
    process.execPath,
    ["node_modules/verdaccio/bin/verdaccio", "--config", "config.yaml", "--listen", host],
    { cwd: folder, stdio: "ignore" }
  )
  try {
    let listens = false
    for (let tries = 0; tries < 100 && !listens; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      listens = await fetch(`${registry}-/ping`).then(({ ok }) => ok, () => false)
    }
    if (!listens) {
      failed.push("verdaccio does not listen")
      return
    }
    // Whoever is anonymous may publish, but npm wants to have a token to send.
    const token = `--//127.0.0.1:${port}/:_authToken=anonymous`
    for (const file of tarballs()) {
      const title = `publish ${file.slice(packed.length + 1)}`
      if (!(await step(title, folder, "npm", ["publish", file, "--registry", registry, token]))) return
    }
    const [effect, platform] = /** @type {[string, string]} */ (peers.at(-1))
    const what = [
      "@sluice/node",
      "@sluice/core",
      "@sluice/test-server",
      `effect@${effect}`,
      `@effect/platform@${platform}`
    ]
    const from = join(folder, "node_modules")
    /** @type {ReadonlyArray<readonly [name: string, command: string, args: ReadonlyArray<string>, env?: NodeJS.ProcessEnv]>} */
    const managers = [
      ["npm", "npm", [...npmInstall(what), "--registry", registry]],
      ["pnpm", process.execPath, [join(from, "pnpm/bin/pnpm.cjs"), "add", ...what, "--registry", registry]],
      ["yarn", process.execPath, [join(from, "@yarnpkg/cli-dist/bin/yarn.js"), "add", ...what], {
        YARN_NPM_REGISTRY_SERVER: registry,
        YARN_UNSAFE_HTTP_WHITELIST: "127.0.0.1",
        YARN_NODE_LINKER: "node-modules",
        YARN_ENABLE_IMMUTABLE_INSTALLS: "false",
        // Else nothing that was published a moment ago is installed.
        YARN_NPM_MINIMAL_AGE_GATE: "0"
      }],
      ["bun", runtimes(folder).bun, ["add", ...what], { BUN_CONFIG_REGISTRY: registry }]
    ]
    for (const [name, command, args, env] of managers) {
      const user = project(`from-registry-${name}`)
      // Yarn looks for the project that a folder belongs to, and would find this repository.
      if (name === "yarn") writeFileSync(join(user, "yarn.lock"), "")
      if (!(await step(`${name}: installs from a registry`, user, command, args, env))) continue
      await run(user, name)
      await step(`${name}: the command of the test server`, user, process.execPath, [
        "node_modules/@sluice/test-server/dist/bin.js",
        "--version"
      ])
    }
  } finally {
    server.kill()
  }
}

if (await install() && await pack()) {
  await basic()
  await withEffect4()
  if (wants("peers")) {
    await withPeers()
    await misfits()
  }
  if (wants("latest")) await withLatest()
  if (wants("runtimes")) await onRuntimes()
  if (wants("managers")) await withManagers()
} else {
  failed.push("pack")
}
console.log(failed.length === 0 ? "All is well." : `${failed.length} failed: ${failed.join("; ")}`)
process.exitCode = failed.length === 0 ? 0 : 1
