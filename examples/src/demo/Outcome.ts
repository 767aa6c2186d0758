/**
 * What an incident's program returns: sentences for a reader, and figures that hold or do not.
 */
export interface Outcome {
  /** What happened in other clients, and why. */
  readonly elsewhere: string
  /** What happened in this run. */
  readonly here: string
  /** Texts shown as they are: a message, a table. */
  readonly exhibits?: ReadonlyArray<Exhibit>
  readonly figures: ReadonlyArray<Figure>
}

export interface Exhibit {
  readonly title: string
  readonly text: string
}

/** Who counted. The server's word proves what the client says of itself. */
export type Counter = "server" | "pool" | "caller"

export interface Figure {
  readonly by: Counter
  readonly name: string
  readonly value: string
  /** What it must be, in words. */
  readonly wanted: string
  readonly holds: boolean
}

export const exactly = (by: Counter, name: string, value: number, wanted: number): Figure => ({
  by,
  name,
  value: count(value),
  wanted: count(wanted),
  holds: value === wanted
})

export const atMost = (by: Counter, name: string, value: number, limit: number): Figure => ({
  by,
  name,
  value: count(value),
  wanted: `at most ${count(limit)}`,
  holds: value <= limit
})

export const atLeast = (by: Counter, name: string, value: number, least: number): Figure => ({
  by,
  name,
  value: count(value),
  wanted: `at least ${count(least)}`,
  holds: value >= least
})

export const holds = (by: Counter, name: string, value: boolean): Figure => ({
  by,
  name,
  value: value ? "yes" : "no",
  wanted: "yes",
  holds: value
})

/** `2,500` */
export const count = (n: number): string => n.toLocaleString("en-US")
