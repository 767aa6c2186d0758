import type { Meter } from "../Host.js"
import { countsByOrigin, type PoolDriver } from "../pool/index.js"
import { type Levels, PoolLevels } from "./poolLevels.js"
import { PoolMeter } from "./PoolMeter.js"
import { takeName } from "./poolName.js"
import type { Registry } from "./Registry.js"

/** The metrics of one pool: what is counted when it happens, and what is read when somebody asks. */
export interface PoolMetrics {
  readonly meter: Meter
  readonly levels: PoolLevels
  readonly close: () => void
}

/** The shares of a pool, as its host has them. */
interface Shares {
  readonly drivers: ReadonlyArray<PoolDriver>
  readonly limits: { readonly maxConnections: number }
}

export const poolMetrics = (registry: Registry, given: string | undefined, pool: Shares): PoolMetrics => {
  const { leave, name } = takeName(given)
  const attributes = { "sluice.pool.name": name }
  const levels = new PoolLevels(registry, {
    attributes,
    maxConnections: () => pool.limits.maxConnections,
    levels: () => levelsOf(pool)
  })
  const close = () => {
    levels.close()
    leave()
  }
  return { meter: new PoolMeter(registry, attributes), levels, close }
}

/** No origin is in two shares of a pool. */
const levelsOf = ({ drivers }: Shares): ReadonlyMap<string, Levels> => {
  const all = new Map<string, Levels>()
  for (const { core: { state } } of drivers) {
    const leases = new Map<string, number>()
    for (const { origin } of state.leases) leases.set(origin.key, (leases.get(origin.key) ?? 0) + 1)
    for (const [key, counts] of countsByOrigin(state)) all.set(key, { ...counts, leases: leases.get(key) ?? 0 })
  }
  return all
}
