// A contender at work, in a process of its own: node child.js '{"task":"load",…}'. Prints its measurement as one line of
// JSON and ends.
import type { Job, Measurement } from "./Suite.js"

export interface Task {
  readonly run: (job: Job) => Promise<Measurement>
}

const tasks: Record<Job["task"], () => Promise<Task>> = {
  load: () => import("./tasks/load.js"),
  transfer: () => import("./tasks/transfer.js"),
  memory: () => import("./tasks/memory.js"),
  start: () => import("./tasks/start.js"),
  pool: () => import("./tasks/pool.js")
}

const job = JSON.parse(process.argv[2]) as Job

try {
  const task = await tasks[job.task]()
  const measurement = await task.run(job)
  process.stdout.write(`\n${JSON.stringify(measurement)}\n`, () => process.exit(0))
} catch (error) {
  console.error(error instanceof Error ? `${error.name}: ${error.message}` : error)
  process.exit(1)
}
