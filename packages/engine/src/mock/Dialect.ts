import type { Difference } from "../routes/index.js"

/** What only a face knows of a mock: Effect's durations and schemas, and how it prints values. */
export interface Dialect {
  readonly isTime: (value: unknown) => boolean
  /** Any value as text. */
  readonly show: (value: unknown) => string
  /** What keeps JSON from being of a schema. */
  readonly ofSchema: (schema: unknown, json: unknown) => ReadonlyArray<Difference>
}
