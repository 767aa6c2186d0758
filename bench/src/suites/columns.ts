import type { Column } from "../Suite.js"

const rate: Column = { metric: "rate", title: "requests/s", digits: 0, better: "higher" }
const cpu: Column = { metric: "cpu", title: "CPU µs", digits: 1, better: "lower" }

export const load: ReadonlyArray<Column> = [
  rate,
  cpu,
  { metric: "p50", title: "p50 µs", digits: 0, better: "lower" },
  { metric: "p99", title: "p99 µs", digits: 0, better: "lower" },
  { metric: "p999", title: "p99.9 µs", digits: 0, better: "lower" },
  { metric: "rss", title: "RSS MiB", digits: 0, better: "lower" }
]

export const transfer: ReadonlyArray<Column> = [
  { metric: "rate", title: "MiB/s", digits: 0, better: "higher" },
  { metric: "cpu", title: "CPU µs/MiB", digits: 0, better: "lower" },
  { metric: "growth", title: "memory +MiB", digits: 0, better: "lower" }
]

export const memory: ReadonlyArray<Column> = [
  { metric: "heap", title: "heap bytes each", digits: 0, better: "lower" },
  { metric: "rss", title: "RSS bytes each", digits: 0, better: "lower" }
]

export const start: ReadonlyArray<Column> = [
  { metric: "total", title: "ms in all", digits: 1, better: "lower" },
  { metric: "import", title: "import ms", digits: 1, better: "lower" },
  { metric: "first", title: "first response ms", digits: 1, better: "lower" },
  { metric: "rss", title: "RSS MiB", digits: 0, better: "lower" }
]

export const pool: ReadonlyArray<Column> = [cpu, rate]

export const path: ReadonlyArray<Column> = [
  { metric: "core", title: "core ns", digits: 0, better: "lower" },
  { metric: "path", title: "whole path ns", digits: 0, better: "lower" },
  { metric: "waiter", title: "bytes/waiter", digits: 0, better: "lower" },
  { metric: "left", title: "left after", digits: 0, better: "lower" }
]
