// Before a package is packed: a clone that has never been built would make a package without code, and say nothing.
import { install } from "./install.mjs"
import { tsc } from "./process.mjs"

// The other packages are what these refer to.
const projects = ["node", "node4", "test-server"].map((name) => `packages/${name}/tsconfig.src.json`)

const { code } = await install() ? await tsc(["-b", ...projects], { minutes: 5 }) : { code: 1 }
process.exitCode = code
