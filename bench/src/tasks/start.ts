import { clientNamed } from "../clients/index.js"
import { Meter } from "../Meter.js"
import type { Job, Measurement } from "../Suite.js"

/** From the start of importing the client until its first response has been read. */
export const run = async (job: Job): Promise<Measurement> => {
  const begun = performance.now()
  const open = await clientNamed(job.client)
  const imported = performance.now()
  const client = await open({ url: job.url as string, connections: 1, body: undefined, traces: undefined })
  // A meter without time lets nothing through; this one lets a single request through.
  const meter = new Meter(0.000_001)
  await client.load(meter, 1)
  const responded = performance.now()
  await client.close()
  return {
    import: imported - begun,
    first: responded - imported,
    total: responded - begun,
    rss: process.memoryUsage.rss() / 1024 ** 2
  }
}
