import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

/** The folder of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL("..", import.meta.url))

/**
 * Runs a program in the root of the repository. Its output goes where ours goes, unless `quiet` keeps it back for the
 * caller. A program that could not be started, or that outlived `minutes`, has failed like any other.
 *
 * @param {string} command
 * @param {ReadonlyArray<string>} args
 * @param {{ quiet?: boolean, minutes?: number, env?: NodeJS.ProcessEnv, shell?: boolean }} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export const run = (command, args, { env = process.env, minutes, quiet = false, shell = false } = {}) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, shell, stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit" })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text) => {
        output += text
      })
    }

    // Ctrl-C reaches the child too, which may have something to close: wait for it rather than leave it behind.
    const interrupted = () => {}
    const terminated = () => child.kill("SIGTERM")
    process.on("SIGINT", interrupted).on("SIGTERM", terminated)

    const limit = minutes === undefined ? undefined : setTimeout(() => {
      output += `Killed: it ran for more than ${minutes} minutes.\n`
      if (!quiet) console.error(`Killed: it ran for more than ${minutes} minutes.`)
      child.kill("SIGKILL")
    }, minutes * 60_000)

    /** @param {number} code */
    const done = (code) => {
      clearTimeout(limit)
      process.off("SIGINT", interrupted).off("SIGTERM", terminated)
      resolve({ code, output })
    }
    child.on("error", (error) => {
      output += `${error.message}\n`
      if (!quiet) console.error(error.message)
      done(127)
    })
    child.on("close", (code, signal) => done(code ?? (signal === "SIGINT" ? 130 : signal === "SIGTERM" ? 143 : 137)))
  })

/**
 * Runs a program of an installed package with the Node that runs us: no shell, no package manager in between.
 *
 * @param {string} file the program, from `node_modules`
 * @param {ReadonlyArray<string>} args
 * @param {Parameters<typeof run>[2]} [options]
 */
export const runInstalled = (file, args, options) =>
  run(process.execPath, [`${root}node_modules/${file}`, ...args], options)

/**
 * @param {ReadonlyArray<string>} args
 * @param {Parameters<typeof run>[2]} [options]
 */
export const tsc = (args, options) => runInstalled("typescript/bin/tsc", args, options)
