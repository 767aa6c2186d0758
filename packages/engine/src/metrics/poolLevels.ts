import type { Cancel } from "../Host.js"
import type * as Origin from "../Origin.js"
import type { Counts } from "../PoolSnapshot.js"
import type { Attributes } from "./definitions.js"
import * as definitions from "./definitions.js"
import { readLevel, type Registry } from "./Registry.js"

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

const none: Levels = { open: 0, active: 0, idle: 0, dialing: 0, closing: 0, waiting: 0, leases: 0 }

/** Origins of a pool that are read by themselves; the rest of them is read together. */
const most = 250

/** The levels of one pool, from when an origin is first asked for until the pool is closed. */
export class PoolLevels {
  private readonly stops: Array<Cancel> = []
  private readonly origins = new Set<string>()
  private readsOthers = false
  private latest: ReadonlyMap<string, Levels> | undefined = undefined

  constructor(private readonly registry: Registry, private readonly pool: ReadPool) {
    this.stops.push(readLevel(registry, definitions.connectionLimit, pool.attributes, () => pool.maxConnections()))
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
    const { registry } = this
    const attributes = { ...this.pool.attributes, ...server }
    const state = (state: string): Attributes => ({ ...attributes, "http.connection.state": state })
    this.stops.push(
      readLevel(registry, definitions.openConnections, state("active"), () => sum(({ active }) => active)),
      readLevel(registry, definitions.openConnections, state("idle"), () => sum(({ idle }) => idle)),
      readLevel(registry, definitions.activeRequests, attributes, () => sum(({ leases }) => leases)),
      readLevel(registry, definitions.pendingRequests, attributes, () => sum(({ waiting }) => waiting))
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
