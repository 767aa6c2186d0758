import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const root = fileURLToPath(new URL(".", import.meta.url))

// Tests run against the sources, so nothing has to be built first. `internal` stays hidden, as the exports maps hide it.
const alias = [
  { find: /^@sluice\/engine$/, replacement: `${root}packages/engine/src/index.ts` },
  { find: /^@sluice\/engine\/([a-z0-9/]+)$/, replacement: `${root}packages/engine/src/$1/index.ts` },
  { find: /^@sluice\/core4\/testing$/, replacement: `${root}packages/core4/src/testing/index.ts` },
  { find: /^@sluice\/core\/testing$/, replacement: `${root}packages/core/src/testing/index.ts` },
  { find: /^@sluice\/(core|node|core4|node4|test-server)$/, replacement: `${root}packages/$1/src/index.ts` },
  {
    find: /^@sluice\/(core|node|core4|node4|test-server)\/(?!internal\/|package\.json$)(.+)$/,
    replacement: `${root}packages/$1/src/$2.ts`
  }
]

// What a test may take is a window of real time, which a busy machine makes narrow: it is there for what hangs.
const patience = { testTimeout: 30_000, hookTimeout: 30_000 }

// Files share a process, and what they import is read once: that is a third of the time.
const project = (name: string, folder: string, include = ["test/**/*.test.ts"], more: object = {}) => ({
  root: `${root}${folder}`,
  resolve: { alias },
  test: { name, include, ...patience, isolate: false, ...more }
})

/** They look at what a process has once: metrics, timers, memory, name servers, the layers that have been built. */
const alone = [
  "test/observability/*.test.ts",
  "test/client/{context,fakedGlobals,memory,steppedClock}.test.ts",
  "test/network/{dns,proxy}.test.ts",
  "test/layer/HttpClientLayer.test.ts"
]

/** What each face has to do: tests that know a client by its layer alone. Some take long: `SLUICE_BOTH=all`, each night. */
const behaviour = [
  ...["timeouts", "interrupts", "contention", "framing", "authentication", "connect", "target"],
  ...(process.env["SLUICE_BOTH"] === "all" ? ["bodyEndings", "reuse", "upload"] : [])
].map((name) => `test/client/${name}.test.ts`)

export default defineConfig({
  test: {
    // One more than there are cores: tests over real sockets wait for much of their time.
    minWorkers: 1,
    maxWorkers: availableParallelism() + 1,
    // `npm run again` runs each test several times.
    ...(process.env["TEST_TIMES"] === undefined ? {} : { runner: `${root}scripts/repeatingRunner.mjs` }),
    projects: [
      project("engine", "packages/engine"),
      project("core", "packages/core"),
      project("node", "packages/node", undefined, { exclude: alone }),
      project("node-alone", "packages/node", alone, { isolate: true }),
      project("core4", "packages/core4"),
      // The same behaviour of both faces: tests of the client, with the layer of Effect 4 below.
      {
        root: `${root}packages/node`,
        resolve: {
          alias: [
            { find: /^@sluice\/node$/, replacement: `${root}packages/node/test/bridge/index.ts` },
            {
              find: /^@sluice\/core\/PooledHttpClient$/,
              replacement: `${root}packages/node/test/bridge/PooledHttpClient.ts`
            },
            ...alias
          ]
        },
        test: { name: "both", include: behaviour, ...patience, isolate: false, env: { SLUICE_FACE: "4" } }
      },
      project("node4", "packages/node4"),
      project("test-server", "packages/test-server"),
      project("examples", "examples"),
      project("bench", "bench")
    ]
  }
})
