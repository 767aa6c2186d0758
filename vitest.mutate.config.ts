import { defineConfig } from "vitest/config"
import config from "./vitest.config.js"

// The usual tests, with one piece of one source file replaced, another one each time: see scripts/mutate.mjs.

interface Mutant {
  readonly file: string
  readonly start: number
  readonly end: number
  readonly text: string
}

const mutate = {
  name: "mutate",
  enforce: "pre" as const,
  transform: (code: string, id: string) => {
    const { end, file, start, text }: Mutant = JSON.parse(process.env.MUTANT ?? "{}")
    return id.split("?")[0] === file ? { code: code.slice(0, start) + text + code.slice(end), map: null } : undefined
  }
}

const projects = config.test?.projects ?? []

// A machine that is busy is no reason to fail.
const testTimeout = 30_000

export default defineConfig({
  test: {
    projects: projects.map((project) =>
      typeof project === "object" && "test" in project
        ? { ...project, plugins: [mutate], test: { ...project.test, testTimeout } }
        : project
    )
  }
})
