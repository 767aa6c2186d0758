import type { Job, Measurement } from "../Suite.js"
import { measurePath } from "./poolPath.js"
import { measureScaling } from "./poolScaling.js"

/** The pool without sockets. */
export const run = (job: Job): Promise<Measurement> =>
  job.measure === "path" ? measurePath() : measureScaling(job as never)
