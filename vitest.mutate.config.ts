import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import config from "./vitest.config.js"

// The usual tests over sources that have all chosen mutants in them: see scripts/mutate.mjs.

const switched: Readonly<Record<string, string>> = JSON.parse(readFileSync(process.env.MUTANTS ?? "", "utf8"))

const mutate = {
  name: "mutate",
  enforce: "pre" as const,
  transform: (_code: string, id: string) => {
    const code = switched[id.split("?")[0]]
    return code === undefined ? undefined : { code, map: null }
  }
}

const projects = config.test?.projects ?? []

// Each takes a fraction of this. Who waits for ever is not waited for much longer than that.
const testTimeout = 10_000

const setupFiles = [fileURLToPath(new URL("scripts/mutationSetup.ts", import.meta.url))]

export default defineConfig({
  test: {
    projects: projects.map((project) =>
      typeof project === "object" && "test" in project
        ? { ...project, plugins: [mutate], test: { ...project.test, testTimeout, setupFiles } }
        : project
    )
  }
})
