import type { ClientSettings } from "../Client.js"
import { clientNamed } from "../clients/index.js"
import { Meter } from "../Meter.js"
import { codedText, served, uploadBody } from "../payload.js"
import type { Job, Measurement } from "../Suite.js"

export interface LoadJob extends Job {
  readonly task: "load"
  readonly url: string
  readonly workers: number
  readonly connections: number
  /** In milliseconds. */
  readonly warmUp: number
  readonly duration: number
  readonly post?: boolean
  /** How many bytes a POST sends. Default 128 KiB. */
  readonly size?: number
  readonly distinct?: boolean
  readonly traces?: string
  /** How many requests it takes until the compiler has seen enough. Default 20,000. */
  readonly warmUpRequests?: number
}

/** Requests for a fixed time, after a time of warming up on the same connections. */
export const run = async (input: Job): Promise<Measurement> => {
  const job = input as LoadJob
  const settings: ClientSettings = {
    url: job.url,
    connections: job.connections,
    body: job.post === true ? new Uint8Array(job.size ?? uploadBody).fill(0x61) : undefined,
    traces: job.traces,
    distinct: job.distinct
  }
  const client = await (await clientNamed(job.client))(settings)
  // The bare socket counts bytes and has no text to show.
  const text = job.client === "bare socket" ? undefined : textOf(new URL(job.url).pathname)
  // The compiler counts calls, not time: a slow machine needs longer.
  await client.load(new Meter(job.warmUp, text, job.warmUpRequests ?? 20_000), job.workers)

  const cpu = process.cpuUsage()
  const meter = new Meter(job.duration, text)
  await client.load(meter, job.workers)
  const used = process.cpuUsage(cpu)
  const memory = process.memoryUsage()

  await client.close()
  return {
    rate: meter.count / (meter.elapsed / 1000),
    cpu: (used.user + used.system) / meter.count,
    p50: meter.percentile(0.5),
    p99: meter.percentile(0.99),
    p999: meter.percentile(0.999),
    rss: memory.rss / 1024 ** 2
  }
}

const textOf = (path: string): string | undefined => served[path] ?? codedText(path)
