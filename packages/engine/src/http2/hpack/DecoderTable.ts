import { HeaderField } from "./HeaderField.js"
import { staticTable } from "./staticTable.js"

const staticFields: ReadonlyArray<HeaderField> = staticTable.map(([name, value]) => new HeaderField(name, value))

/** What indexes stand for: the static table, then the dynamic one, newest first (RFC 7541 §2.3.3). */
export class DecoderTable {
  /** A ring: the newest is before `next`. Its length is a power of two. */
  private ring: Array<HeaderField | undefined> = []
  private next = 0
  private count = 0
  private octets = 0
  /** How often an index has come to mean something else. */
  changes = 0

  constructor(private limit: number) {}

  /** The size that the peer's encoder has chosen. */
  get maxSize(): number {
    return this.limit
  }

  get(index: number): HeaderField | undefined {
    if (index <= staticFields.length) return staticFields[index - 1]
    const age = index - staticFields.length
    return age <= this.count ? this.ring[this.next - age & this.ring.length - 1] : undefined
  }

  /** An entry that is larger than the table empties it, which is no error: RFC 7541 §4.4. */
  insert(field: HeaderField): void {
    this.changes++
    this.evict(this.limit - field.size)
    if (field.size > this.limit) return
    if (this.count === this.ring.length) this.grow()
    this.ring[this.next] = field
    this.next = this.next + 1 & this.ring.length - 1
    this.count++
    this.octets += field.size
  }

  resize(maxSize: number): void {
    this.changes++
    this.limit = maxSize
    this.evict(maxSize)
  }

  private evict(maxOctets: number): void {
    while (this.count > 0 && this.octets > maxOctets) {
      const oldest = this.next - this.count & this.ring.length - 1
      this.octets -= this.ring[oldest]!.size
      this.ring[oldest] = undefined
      this.count--
    }
  }

  private grow(): void {
    const { count, next, ring } = this
    const larger = new Array<HeaderField | undefined>(Math.max(16, 2 * ring.length)).fill(undefined)
    for (let i = 0; i < count; i++) larger[i] = ring[next - count + i & ring.length - 1]
    this.ring = larger
    this.next = count
  }
}
