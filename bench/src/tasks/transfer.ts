import { clientNamed } from "../clients/index.js"
import { uploadPart } from "../payload.js"
import type { Job, Measurement } from "../Suite.js"

export interface TransferJob extends Job {
  readonly task: "transfer"
  readonly url: string
  readonly direction: "down" | "up"
  readonly size: number
}

/** One large body, after one that nobody measures; what the process held at most while they passed. */
export const run = async (input: Job): Promise<Measurement> => {
  const job = input as TransferJob
  const open = await clientNamed(job.client)
  const client = await open({ url: job.url, connections: 1, body: undefined, traces: undefined })
  const part = new Uint8Array(uploadPart).fill(0x61)
  const transfer = async () => {
    if (job.direction === "up") return client.upload?.(job.url, part, job.size / part.length)
    const size = await client.download?.(job.url)
    // The bare socket counts the head too.
    if (size === undefined || size < job.size) throw new Error(`expected ${job.size} bytes, got ${size}`)
  }

  const before = process.memoryUsage.rss()
  let peak = before
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, 20)
  await transfer()
  const cpu = process.cpuUsage()
  const begun = performance.now()
  await transfer()
  const elapsed = performance.now() - begun
  const used = process.cpuUsage(cpu)
  clearInterval(watch)
  await client.close()
  const mebibytes = job.size / 1024 ** 2
  return {
    rate: mebibytes / (elapsed / 1000),
    cpu: (used.user + used.system) / mebibytes,
    growth: (peak - before) / 1024 ** 2
  }
}
