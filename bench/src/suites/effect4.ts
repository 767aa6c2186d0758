import type { Goal, Suite, SuiteOptions } from "../Suite.js"
import { load } from "./columns.js"

const subject = "Sluice (Effect 4)"
const undici = "layerUndici (Effect 4)"
const bare = "undici 8 pool.request"

const everyone = [subject, bare, undici, "layerNodeHttp (Effect 4)", "FetchHttpClient (Effect 4)"]

const atLeast = (against: string, value: number): Goal => ({
  of: subject,
  against,
  metric: "rate",
  bound: "atLeast",
  value
})

const needsNode = (): string | undefined => {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
  return major > 22 || (major === 22 && minor >= 19)
    ? undefined
    : "undici 8, and with it Effect 4's own layers, need Node 22.19"
}

const jobs = (names: ReadonlyArray<string>, { quick }: SuiteOptions, work: Readonly<Record<string, string | number>>) =>
  names.map((client) => ({
    name: client,
    job: { task: "load" as const, client, ...work, warmUp: quick ? 400 : 700, duration: quick ? 600 : 1300 }
  }))

/** What is asked of the face for Effect 4 at so many at once. */
const goals: Readonly<Record<number, ReadonlyArray<Goal>>> = {
  1: [atLeast(undici, 2.5)],
  50: [atLeast(undici, 5), atLeast(bare, 2)]
}

export const effect4: Suite = {
  name: "effect4",
  title: "Effect 4: small JSON over HTTP/1.1",
  about:
    "As `requests`, `saturated` and `traced`, with the face for Effect 4, Effect 4's own layers, and undici 8 alone.",
  unavailable: needsNode,
  cases: (options) => {
    const url = `${options.endpoints.http}/small`
    return [
      ...[1, 10, 50, 500].map((workers) => ({
        title: `${workers} at once`,
        contenders: jobs(everyone, options, { url, workers, connections: workers }),
        columns: load,
        goals: goals[workers] ?? []
      })),
      {
        title: "1,000 over 50",
        contenders: jobs([subject, bare, undici], options, { url, workers: 1000, connections: 50 }),
        columns: load,
        goals: []
      },
      {
        title: "50 at once, traced",
        contenders: jobs([subject, undici], options, {
          url,
          workers: 50,
          connections: 50,
          traces: `${options.endpoints.http}/v1/traces`
        }),
        columns: load,
        goals: [atLeast(undici, 3)]
      }
    ]
  }
}
