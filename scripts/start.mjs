// Builds what a program of the workspace needs, then runs it: node scripts/start.mjs examples demo [arguments]
import { install } from "./install.mjs"
import { root, run, tsc } from "./process.mjs"

const [folder, program, ...args] = process.argv.slice(2)

if (!(await install())) process.exit(1)

const { code, output } = await tsc(["-b", `${folder}/tsconfig.src.json`], { quiet: true, minutes: 5 })
if (code !== 0) {
  console.error(output)
  process.exit(code)
}

process.exitCode = (await run(process.execPath, [`${root}${folder}/dist/${program}.js`, ...args])).code
