import type { Case, Goal } from "../Suite.js"
import { transfer } from "./columns.js"

interface Transfer {
  readonly direction: "down" | "up"
  readonly url: string
  /** In bytes. */
  readonly size: number
}

/** Contenders that move a large body. */
export const moving = (
  title: string,
  names: ReadonlyArray<string>,
  work: Transfer,
  goals: ReadonlyArray<Goal>
): Case => ({
  title,
  contenders: names.map((name) => ({ name, job: { task: "transfer", client: name, ...work } })),
  columns: transfer,
  goals
})
