import { largeBody, mediumText } from "../payload.js"
import type { Case, Contender, Goal, Suite, SuiteOptions } from "../Suite.js"
import { load, memory } from "./columns.js"
import { needsTls } from "./load.js"
import { moving } from "./transfers.js"

const ours = "Sluice h2"
const bare = "node:http2"
const undici = "undici.request h2"
const everyone = [ours, bare, undici]

const atLeast = (metric: string, against: string, value: number): Goal => ({
  of: ours,
  against,
  metric,
  bound: "atLeast",
  value
})

const atMost = (metric: string, against: string, value: number, of = ours): Goal => ({
  of,
  against,
  metric,
  bound: "atMost",
  value
})

const loaded = (
  names: ReadonlyArray<string>,
  { quick }: SuiteOptions,
  work: Readonly<Record<string, string | number | boolean>>
): ReadonlyArray<Contender> =>
  names.map((name) => ({
    name,
    job: {
      task: "load",
      client: name,
      connections: 1,
      ...work,
      warmUp: quick ? 400 : 700,
      duration: quick ? 600 : 1300
    }
  }))

/** With HTTP/1.1 over TLS beside it: it is to cost no more. */
const small = (options: SuiteOptions): ReadonlyArray<Case> => {
  const { endpoints } = options
  const goals: ReadonlyArray<readonly [workers: number, ofBare: number, ofUndici: number]> = [
    [1, 1.2, 1],
    [10, 2, 1],
    [50, 2.2, 5]
  ]
  return goals.map(([workers, ofBare, ofUndici]) => ({
    title: `${workers} at once`,
    contenders: [
      ...loaded(everyone, options, { url: `${endpoints.http2}/small`, workers }),
      ...loaded(["Sluice"], options, { url: `${endpoints.https}/small`, workers, connections: workers })
    ],
    columns: load,
    goals: [
      atLeast("rate", bare, ofBare),
      atLeast("rate", undici, ofUndici),
      ...(workers === 50 ? [atMost("cpu", "Sluice", 1.1)] : [])
    ]
  }))
}

const distinct = (options: SuiteOptions): Case => ({
  title: "50 at once, all fields of all messages different",
  contenders: loaded([ours, bare], options, {
    url: `${options.endpoints.http2}/distinct`,
    workers: 50,
    distinct: true
  }),
  columns: load,
  goals: [atMost("cpu", bare, 1 / 1.7)]
})

const medium = (options: SuiteOptions): ReadonlyArray<Case> => {
  const goals = [atLeast("rate", undici, 1.2)]
  const { http2, uploads } = options.endpoints
  return [
    {
      title: "64 KiB down, 10 at once",
      contenders: loaded(everyone, options, { url: `${http2}/64k`, workers: 10 }),
      columns: load,
      goals
    },
    ...(uploads === undefined ? [] : [{
      title: "64 KiB up, 10 at once",
      contenders: loaded(everyone, options, {
        url: `${uploads.http2}/small`,
        workers: 10,
        post: true,
        size: mediumText.length
      }),
      columns: load,
      goals
    }])
  ]
}

const large = ({ endpoints, quick }: SuiteOptions): ReadonlyArray<Case> => {
  const { h2c, http2, uploads } = endpoints
  const sizes = quick
    ? [["100 MiB", largeBody.http2, "100m"]] as const
    : [["100 MiB", largeBody.http2, "100m"], ["1 GiB", largeBody.full, "large"]] as const
  const goals = [atLeast("rate", bare, 1)]
  return sizes.flatMap(([title, size, file]) => [
    moving(`${title} down, TLS`, everyone, { direction: "down", url: `${http2}/${file}`, size }, goals),
    moving(`${title} down, clear text`, [ours, bare], { direction: "down", url: `${h2c}/${file}`, size }, goals),
    ...(uploads === undefined ? [] : [
      moving(`${title} up, TLS`, [ours, bare], { direction: "up", url: `${uploads.http2}/small`, size }, goals),
      moving(`${title} up, clear text`, [ours, bare], { direction: "up", url: `${uploads.h2c}/small`, size }, goals)
    ])
  ])
}

const held = ({ endpoints }: SuiteOptions): ReadonlyArray<Case> => {
  const jobs = (names: ReadonlyArray<string>, what: string, count: number): ReadonlyArray<Contender> =>
    names.map((name) => ({
      name,
      job: {
        task: "memory",
        client: name,
        what,
        count,
        url: `${endpoints.http2}/small`,
        hold: `${endpoints.http2}/hold`
      }
    }))
  const each = (name: string) => `${name}, a connection each`
  return [
    {
      title: "100 open streams",
      contenders: jobs([ours, bare], "open", 100),
      columns: memory,
      goals: [atMost("rss", bare, 1)]
    },
    {
      title: "300 idle connections",
      contenders: jobs([each(ours), each(bare)], "idle", 300),
      columns: memory,
      goals: [atMost("rss", each(bare), 1, each(ours))]
    }
  ]
}

/** What a request costs is not to depend on how many others there are. */
const many = (options: SuiteOptions): Case => {
  const client = `${ours}, many connections`
  const job = (workers: number): Contender => {
    const [{ job }] = loaded([client], options, {
      url: `${options.endpoints.http2}/small`,
      workers,
      connections: workers / 100
    })
    return { name: `${workers} streams`, job }
  }
  return {
    title: "100 and 10,000 streams, 100 over each connection",
    contenders: [job(10_000), job(100)],
    columns: load,
    goals: [atMost("cpu", "100 streams", 1.3, "10000 streams")]
  }
}

export const http2: Suite = {
  name: "http2",
  title: "HTTP/2",
  about:
    "Small JSON, 64 KiB and large bodies over one HTTP/2 connection, TLS unless it says otherwise; what streams and " +
    "connections hold.",
  unavailable: needsTls,
  cases: (options) => [
    ...small(options),
    distinct(options),
    ...medium(options),
    ...large(options),
    ...held(options),
    many(options)
  ]
}
