// Before a package is packed: a clone that has never been built would make a package without code, and say nothing.
import { install } from "./install.mjs"
import { tsc } from "./process.mjs"

// The other packages are what these two refer to.
const projects = ["packages/node/tsconfig.src.json", "packages/test-server/tsconfig.src.json"]

const { code } = await install() ? await tsc(["-b", ...projects], { minutes: 5 }) : { code: 1 }
process.exitCode = code
