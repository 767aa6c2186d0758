import { clientNamed } from "../clients/index.js"
import { uploadChunk } from "../payload.js"
import type { Job, Measurement } from "../Suite.js"

export interface TransferJob extends Job {
  readonly task: "transfer"
  readonly url: string
  readonly direction: "down" | "up"
  readonly size: number
}

/** So much is moved before anything is measured, until the compiler knows its way, and as much when it is. */
const amount = 1024 ** 3

/** Large bodies, one after another; what the process held at most while they passed. */
export const run = async (input: Job): Promise<Measurement> => {
  const job = input as TransferJob
  const open = await clientNamed(job.client)
  const client = await open({ url: job.url, connections: 1, body: undefined, traces: undefined })
  const chunk = new Uint8Array(uploadChunk).fill(0x61)
  const transfer = async () => {
    if (job.direction === "up") return client.upload?.(job.url, chunk, job.size / chunk.length)
    const size = await client.download?.(job.url)
    // The bare socket counts the head too.
    if (size === undefined || size < job.size) throw new Error(`expected ${job.size} bytes, got ${size}`)
  }
  const times = Math.ceil(amount / job.size)
  const all = async () => {
    for (let i = 0; i < times; i++) await transfer()
  }

  const before = process.memoryUsage.rss()
  let peak = before
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, 20)
  await all()
  const cpu = process.cpuUsage()
  const begun = performance.now()
  await all()
  const elapsed = performance.now() - begun
  const used = process.cpuUsage(cpu)
  clearInterval(watch)
  await client.close()
  const mebibytes = (times * job.size) / 1024 ** 2
  return {
    rate: mebibytes / (elapsed / 1000),
    cpu: (used.user + used.system) / mebibytes,
    growth: (peak - before) / 1024 ** 2
  }
}
