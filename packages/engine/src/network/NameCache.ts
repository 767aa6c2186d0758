import type { Address } from "./AddressRace.js"

/** What a name server said. */
export interface NameRecord {
  readonly addresses: ReadonlyArray<Address>
  /** How long it holds, in milliseconds. */
  readonly ttl: number
}

/** How long an address is kept at least and at most, whatever its server says, in milliseconds. */
const [shortest, longest] = [1000, 300_000]

/** How long it is kept that there is none, in milliseconds. */
const negative = 1000

const maxNames = 1000

/** The addresses of names for as long as they hold. */
export class NameCache {
  private readonly names = new Map<string, { readonly until: number; readonly addresses: ReadonlyArray<Address> }>()

  /** An empty list: it has none. */
  get(name: string, now: number): ReadonlyArray<Address> | undefined {
    const known = this.names.get(name)
    return known !== undefined && known.until > now ? known.addresses : undefined
  }

  set(name: string, { addresses, ttl }: NameRecord, now: number): void {
    this.names.delete(name)
    if (this.names.size >= maxNames) { for (const oldest of this.names.keys()) if (this.names.delete(oldest)) break }
    const kept = addresses.length === 0 ? negative : Math.min(Math.max(ttl, shortest), longest)
    this.names.set(name, { until: now + kept, addresses })
  }
}

/** So many places further, each family by itself, so that the first family stays the first. */
export const rotate = (addresses: ReadonlyArray<Address>, by: number): ReadonlyArray<Address> => {
  const families = [...new Set(addresses.map(({ family }) => family))]
  return families.flatMap((family) => {
    const same = addresses.filter((each) => each.family === family)
    const start = by % same.length
    return [...same.slice(start), ...same.slice(0, start)]
  })
}
