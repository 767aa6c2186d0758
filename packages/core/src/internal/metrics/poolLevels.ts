import type { Cancel, Counts, Origin } from "@sluice/engine"
import { globalValue } from "effect/GlobalValue"
import * as MetricState from "effect/MetricState"
import type { Attributes } from "./definitions.js"
import * as definitions from "./definitions.js"
import { hookOf } from "./LabelSets.js"

/** What a pool has now, of one origin or in all. */
export interface Levels extends Counts {
  /** Requests that hold a connection. */
  readonly leases: number
}

/** A pool, for whoever reads its metrics. */
export interface ReadPool {
  readonly attributes: Attributes
  readonly maxConnections: () => number
  /** Those that have connections or waiters now, by the origin's key. */
  readonly levels: () => ReadonlyMap<string, Levels>
}

/** What each metric is the sum of. */
const known = globalValue(Symbol.for("@sluice/core/poolLevels"), () => new WeakMap<object, Set<() => number>>())

/**
 * A level is not counted when something happens but read when somebody asks, an exporter once in ten seconds: the way of
 * a request has nothing to do with it. Several pools may have the same attributes; then they add up.
 */
const read = (
  definition: typeof definitions.openConnections,
  attributes: Attributes,
  source: () => number
): Cancel => {
  const hook = hookOf(definition, attributes)
  let sources = known.get(hook)
  if (sources === undefined) {
    const all = sources = new Set<() => number>()
    known.set(hook, all)
    ;(hook as { get: () => unknown }).get = () => {
      let sum = 0
      for (const source of all) sum += source()
      return MetricState.counter(sum)
    }
  }
  sources.add(source)
  return () => sources.delete(source)
}

const none: Levels = { open: 0, active: 0, idle: 0, dialing: 0, closing: 0, waiting: 0, leases: 0 }

/** Origins of a pool that are read by themselves; the rest of them is read together. */
const most = 250

/** The levels of one pool, from when an origin is first asked for until the pool is closed. */
export class PoolLevels {
  private readonly stops: Array<Cancel> = []
  private readonly origins = new Set<string>()
  private readsOthers = false
  private latest: ReadonlyMap<string, Levels> | undefined = undefined

  constructor(private readonly pool: ReadPool) {
    this.stops.push(read(definitions.connectionLimit, pool.attributes, () => pool.maxConnections()))
  }

  /** An origin is asked for. */
  watch({ host, key, port }: Origin.Origin): void {
    if (this.origins.has(key)) return
    if (this.origins.size < most) {
      this.origins.add(key)
      const server = { "server.address": host, "server.port": String(port) }
      this.readAll(server, (of) => of(this.levels().get(key) ?? none))
    } else if (!this.readsOthers) {
      this.readsOthers = true
      this.readAll({ "server.address": "other" }, (of) => {
        let sum = 0
        for (const [key, levels] of this.levels()) if (!this.origins.has(key)) sum += of(levels)
        return sum
      })
    }
  }

  close(): void {
    for (const stop of this.stops) stop()
  }

  private readAll(server: Attributes, sum: (of: (levels: Levels) => number) => number): void {
    const attributes = { ...this.pool.attributes, ...server }
    const state = (state: string): Attributes => ({ ...attributes, "http.connection.state": state })
    this.stops.push(
      read(definitions.openConnections, state("active"), () => sum(({ active }) => active)),
      read(definitions.openConnections, state("idle"), () => sum(({ idle }) => idle)),
      read(definitions.activeRequests, attributes, () => sum(({ leases }) => leases)),
      read(definitions.pendingRequests, attributes, () => sum(({ waiting }) => waiting))
    )
  }

  /** All metrics that are read in one go look at the pool once. */
  private levels(): ReadonlyMap<string, Levels> {
    if (this.latest === undefined) {
      this.latest = this.pool.levels()
      void Promise.resolve().then(() => {
        this.latest = undefined
      })
    }
    return this.latest
  }
}
