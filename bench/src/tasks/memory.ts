import { setTimeout as sleep } from "node:timers/promises"
import { clientNamed } from "../clients/index.js"
import { Meter } from "../Meter.js"
import type { Job, Measurement } from "../Suite.js"

export interface MemoryJob extends Job {
  readonly task: "memory"
  readonly url: string
  readonly hold: string
  /**
   * - `idle`: connections that have served and wait for the next request.
   * - `open`: requests whose response has not begun.
   * - `waiting`: requests that wait for the only connection.
   */
  readonly what: "idle" | "open" | "waiting"
  readonly count: number
}

const collect = (globalThis as { readonly gc?: () => void }).gc

/** What is alive, after everything else is gone: on the heap, and outside of it. */
const live = async () => {
  for (let i = 0; i < 4; i++) {
    collect?.()
    await sleep(20)
  }
  const { external, heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed + external, rss }
}

/** The memory of many, less the memory of one, divided by how many. */
export const run = async (input: Job): Promise<Measurement> => {
  const job = input as MemoryJob
  const open = await clientNamed(job.client)
  const settings = { url: job.url, body: undefined, traces: undefined }
  // What all of them share is there before: the code has run, and has been compiled.
  const first = await open({ ...settings, connections: 10 })
  await first.load(new Meter(400), 10)
  await first.close()
  const before = await live()
  const client = await open({ ...settings, connections: job.what === "waiting" ? 1 : job.count })
  if (job.what === "idle") await client.load(new Meter(200), job.count)
  else client.hold?.(job.hold, job.count)
  await sleep(300)
  const after = await live()
  return {
    heap: (after.heap - before.heap) / job.count,
    rss: (after.rss - before.rss) / job.count
  }
}
