import { VitestTestRunner } from "vitest/runners"

const times = Number(process.env.TEST_TIMES)

/** Runs each test so many times, in a process that is loaded once: see `again.mjs`. */
export default class RepeatingRunner extends VitestTestRunner {
  /**
   * @override
   * @param {import("vitest").RunnerTask} task
   */
  onBeforeRunTask(task) {
    if (task.type === "test") task.repeats = times - 1
    return super.onBeforeRunTask(task)
  }
}
