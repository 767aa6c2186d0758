import type { HeaderField } from "./HeaderField.js"

/** Longer blocks are rare, and their octets would stay with each connection. */
const maxKept = 1024

const nothing = new Uint8Array(0)

/**
 * The last block that left the table as it was, and what it stands for. Servers send the same head again and again, either
 * as indexes or, as nginx does, as the same literals. The same octets mean the same as long as the table does not change.
 */
export class BlockCache {
  private octets: Uint8Array = nothing
  private length = -1
  private tableChanges = 0
  fields: ReadonlyArray<HeaderField> = []
  listBytes = 0

  matches(bytes: Uint8Array, start: number, end: number, tableChanges: number): boolean {
    const { length, octets } = this
    if (end - start !== length || tableChanges !== this.tableChanges) return false
    for (let i = 0; i < length; i++) {
      if (octets[i] !== bytes[start + i]) return false
    }
    return true
  }

  keep(
    bytes: Uint8Array,
    start: number,
    end: number,
    tableChanges: number,
    fields: ReadonlyArray<HeaderField>,
    listBytes: number
  ): void {
    const length = end - start
    if (length > maxKept) return
    if (length > this.octets.length) this.octets = new Uint8Array(Math.min(maxKept, 2 * length))
    this.octets.set(bytes.subarray(start, end))
    this.length = length
    this.tableChanges = tableChanges
    this.fields = fields
    this.listBytes = listBytes
  }
}
