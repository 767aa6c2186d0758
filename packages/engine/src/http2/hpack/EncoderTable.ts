import { fieldOverhead } from "./HeaderField.js"
import { defaultTableSize, staticTable } from "./staticTable.js"

/** A name of the static table: its first index, and the index of each value that it has there. */
interface StaticName {
  readonly index: number
  readonly values: ReadonlyMap<string, number>
}

const staticNames: ReadonlyMap<string, StaticName> = (() => {
  const names = new Map<string, { readonly index: number; readonly values: Map<string, number> }>()
  staticTable.forEach(([name, value], i) => {
    const known = names.get(name) ?? { index: i + 1, values: new Map() }
    known.values.set(value, i + 1)
    names.set(name, known)
  })
  return names
})()

/** An entry of the dynamic table. Entries with one name are a list, newest first; all of them are another, oldest first. */
export class Entry {
  next: Entry | undefined = undefined
  newer: Entry | undefined = undefined
  evicted = false
  readonly size: number

  constructor(
    /** The first entry of the connection is 1. */
    readonly ordinal: number,
    readonly name: FieldName,
    readonly value: string,
    public older: Entry | undefined
  ) {
    this.size = name.text.length + value.length + fieldOverhead
  }
}

/** After so many values in a row that were never sent again, a name's new values are indexed only when they come twice. */
const wastedInsertions = 4

/** What is known about a field name that was sent. */
export class FieldName {
  /** Of the static table, 0 for none. */
  readonly staticIndex: number
  private readonly staticValues: ReadonlyMap<string, number> | undefined
  newest: Entry | undefined = undefined
  /** Values that were inserted since one was used again. */
  private wasted = 0
  /** The last value that was not inserted. */
  private candidate: string | undefined = undefined

  constructor(readonly text: string) {
    const known = staticNames.get(text)
    this.staticIndex = known === undefined ? 0 : known.index
    this.staticValues = known?.values
  }

  /** The index of the field in the static table, 0 for none. */
  staticField(value: string): number {
    return this.staticValues?.get(value) ?? 0
  }

  find(value: string): Entry | undefined {
    let entry = this.newest
    while (entry !== undefined && entry.value !== value) entry = entry.older
    return entry
  }

  used(): void {
    this.wasted = 0
  }

  /** Whether a value that is in no table is worth an entry: a field that is always different would evict all others. */
  deservesEntry(value: string): boolean {
    if (this.wasted < wastedInsertions || this.candidate === value) {
      this.candidate = undefined
      this.wasted++
      return true
    }
    this.candidate = value
    return false
  }
}

/** Names without an entry that are remembered, so that callers may invent as many as they like. */
const spareNames = 128

/** The encoder's view of the table that the peer's decoder keeps. */
export class EncoderTable {
  private readonly names = new Map<string, FieldName>()
  private oldest: Entry | undefined = undefined
  private newest: Entry | undefined = undefined
  private inserted = 0
  private count = 0
  private octets = 0
  private limit = defaultTableSize

  /** What is known about a name; undefined if it was never sent, or so long ago that it has been forgotten. */
  known(name: string): FieldName | undefined {
    return this.names.get(name)
  }

  remember(text: string): FieldName {
    if (this.names.size >= spareNames + this.count) this.forget()
    const name = new FieldName(text)
    this.names.set(text, name)
    return name
  }

  indexOf(entry: Entry): number {
    return staticTable.length + 1 + this.inserted - entry.ordinal
  }

  /** Larger entries would leave no room for others. */
  hasRoomFor(name: string, value: string): boolean {
    return name.length + value.length + fieldOverhead <= this.limit >>> 1
  }

  /** To be called only for an entry that the table has room for. */
  insert(name: FieldName, value: string): Entry {
    const size = name.text.length + value.length + fieldOverhead
    this.evict(this.limit - size)
    const entry = new Entry(++this.inserted, name, value, name.newest)
    if (name.newest !== undefined) name.newest.newer = entry
    name.newest = entry
    if (this.newest === undefined) this.oldest = entry
    else this.newest.next = entry
    this.newest = entry
    this.count++
    this.octets += size
    return entry
  }

  resize(octets: number): void {
    this.limit = octets
    this.evict(octets)
  }

  private evict(maxOctets: number): void {
    while (this.oldest !== undefined && this.octets > maxOctets) {
      const entry = this.oldest
      entry.evicted = true
      this.oldest = entry.next
      if (this.oldest === undefined) this.newest = undefined
      // It is the oldest of its name too.
      if (entry.newer === undefined) entry.name.newest = undefined
      else entry.newer.older = undefined
      this.count--
      this.octets -= entry.size
    }
  }

  private forget(): void {
    for (const [text, name] of this.names) {
      if (name.newest === undefined) this.names.delete(text)
    }
  }
}
