import { largeBody } from "../payload.js"
import { atMost, faster, subject, type Suite } from "../Suite.js"
import { memory, start } from "./columns.js"
import { responses } from "./load.js"
import { moving } from "./transfers.js"

const mebibytes = (size: number) => size >= 1024 ** 3 ? `${size / 1024 ** 3} GiB` : `${size / 1024 ** 2} MiB`

export const body: Suite = {
  name: "body",
  title: "Bodies",
  about:
    "Responses of 64 KiB read as text; a large one read as a stream; a large body sent as a stream of chunks of 64 KiB, " +
    "to our own server.",
  cases: (options) => {
    const { endpoints, quick } = options
    const size = quick ? largeBody.quick : largeBody.full
    const names = [subject, "bare socket", "undici.request", "node:http", "fetch", "layerUndici"]
    const goals = [faster("rate", "bare socket", 0.9), faster("rate", "undici.request", 1)]
    const down = `${endpoints.http}/${quick ? "large-quick" : "large"}`
    return [
      ...responses(options),
      ...(endpoints.authority === undefined
        ? []
        : [moving(`${mebibytes(size)} down`, names, { direction: "down", url: down, size }, goals)]),
      moving(`${mebibytes(size)} up`, names, { direction: "up", url: `${endpoints.raw}/small`, size }, goals)
    ]
  }
}

export const memoryUse: Suite = {
  name: "memory",
  title: "Memory",
  about: "What a connection that is idle, a request under way and a request that waits for a connection hold, each.",
  rounds: 3,
  cases: ({ endpoints }) => {
    const jobs = (names: ReadonlyArray<string>, what: string, count: number) =>
      names.map((name) => ({
        name,
        job: {
          task: "memory" as const,
          client: name,
          what,
          count,
          url: `${endpoints.raw}/small`,
          hold: `${endpoints.raw}/hold`
        }
      }))
    const names = [subject, "bare socket", "undici.request", "node:http", "layerUndici"]
    return [
      {
        title: "1,000 idle connections",
        contenders: jobs(names, "idle", 1000),
        columns: memory,
        goals: [atMost("heap", "undici.request", 1)]
      },
      { title: "1,000 open requests", contenders: jobs(names, "open", 1000), columns: memory, goals: [] },
      {
        title: "10,000 requests waiting",
        contenders: jobs(names.filter((name) => name !== "bare socket"), "waiting", 10_000),
        columns: memory,
        goals: []
      }
    ]
  }
}

export const startUp: Suite = {
  name: "start",
  title: "Start",
  about: "From the start of importing the client until its first response has been read.",
  cases: ({ endpoints }) => {
    const names = [
      subject,
      "undici.request",
      "node:http",
      "fetch",
      "got",
      "axios",
      "ky",
      "FetchHttpClient",
      "layerUndici"
    ]
    const jobs = names.map((name) => ({
      name,
      job: { task: "start" as const, client: name, url: `${endpoints.http}/small` }
    }))
    return [{ title: "import and first response", contenders: jobs, columns: start, goals: [] }]
  }
}
