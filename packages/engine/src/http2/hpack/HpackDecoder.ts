import type { HpackErrorCode, ProtocolError } from "../ProtocolError.js"
import { compressionError } from "../ProtocolError.js"
import { BlockCache } from "./BlockCache.js"
import { DecoderTable } from "./DecoderTable.js"
import { HeaderField } from "./HeaderField.js"
import { decodedBound, decodeHuffman } from "./huffmanDecoder.js"
import { defaultTableSize } from "./staticTable.js"

export interface HpackDecoderOptions {
  /** The octets of a header list that are accepted, as RFC 9113 §6.5.2 counts them: 32 beside those of each field. */
  readonly maxListBytes: number
  /** The octets of a header list, counted likewise, that are decoded at most to keep the table in step. */
  readonly maxDecodedBytes: number
  /** `bytes[start, end)` as a string of one character an octet. */
  readonly latin1: (bytes: Uint8Array, start: number, end: number) => string
}

/** An integer has no more octets after its prefix: enough for any length or index that could be valid. */
const maxIntegerOctets = 5

const noFields: ReadonlyArray<HeaderField> = []

/** Where Huffman code is decoded to, for as long as it takes to make a string of it. What is longer gets an array of its own. */
const scratch = new Uint8Array(4096)

/** Decodes the header blocks of one connection, in order: RFC 7541. A fault ends the connection. */
export class HpackDecoder {
  private readonly table = new DecoderTable(defaultTableSize)
  /** The most that the peer's encoder may choose: our SETTINGS_HEADER_TABLE_SIZE, once acknowledged. */
  private sizeLimit = defaultTableSize
  /** The limit was lowered below the table's size: the next block has to begin with an update to this or less. */
  private sizeDue = Infinity

  /** The fields of the block that was decoded last, in order. */
  fields: ReadonlyArray<HeaderField> = noFields
  /** The size of that list, as `maxListBytes` counts it. */
  listBytes = 0

  private readonly cache = new BlockCache()

  /** Where the last integer or string ended. */
  private at = 0
  private failure: ProtocolError | undefined = undefined

  constructor(private readonly options: HpackDecoderOptions) {}

  /** The list was larger than `maxListBytes`: `fields` ends before the field that passed it. */
  get tooLarge(): boolean {
    return this.listBytes > this.options.maxListBytes
  }

  /** The peer has acknowledged this SETTINGS_HEADER_TABLE_SIZE of ours. */
  setTableSize(octets: number): void {
    this.sizeLimit = octets
    if (octets < this.table.maxSize) this.sizeDue = Math.min(this.sizeDue, octets)
  }

  /** Decodes a whole block into `fields`. After a fault the table is out of step, so every later call returns it too. */
  decode(bytes: Uint8Array, start: number, end: number): ProtocolError | undefined {
    if (this.failure !== undefined) return this.failure
    const { cache, table } = this
    if (cache.matches(bytes, start, end, table.changes) && this.sizeDue === Infinity) {
      this.fields = cache.fields
      this.listBytes = cache.listBytes
      return undefined
    }
    const before = table.changes
    const { maxDecodedBytes, maxListBytes } = this.options
    const fields: Array<HeaderField> = []
    let listBytes = 0
    let i = this.readSizeUpdates(bytes, start, end)
    while (i < end) {
      const octet = bytes[i]
      let field: HeaderField | undefined
      if (octet >= 0x80) {
        field = this.readIndexed(bytes, i, end)
      } else if (octet >= 0x40) {
        field = this.readLiteral(bytes, i, end, 0x3f)
        if (field !== undefined) table.insert(field)
      } else if (octet < 0x20) {
        field = this.readLiteral(bytes, i, end, 0x0f)
      } else {
        this.fail("InvalidTableSizeUpdate", "A table size update stands after a field", "RFC 7541 §4.2")
      }
      if (field === undefined) break
      i = this.at
      listBytes += field.size
      if (listBytes <= maxListBytes) {
        fields.push(field)
      } else if (listBytes > maxDecodedBytes) {
        this.fail("HeaderListTooLarge", `The header list is larger than ${maxDecodedBytes} octets`, "RFC 9113 §10.5.1")
        break
      }
    }
    this.fields = fields
    this.listBytes = listBytes
    if (table.changes === before && this.failure === undefined) {
      cache.keep(bytes, start, end, before, fields, listBytes)
    }
    return this.failure
  }

  private readSizeUpdates(bytes: Uint8Array, start: number, end: number): number {
    let i = start
    while (i < end && (bytes[i] & 0xe0) === 0x20) {
      const size = this.readInteger(bytes, i, end, 0x1f)
      if (size < 0) return end
      if (size > this.sizeLimit) {
        this.fail(
          "InvalidTableSizeUpdate",
          `A table size of ${size} octets; ${this.sizeLimit} are allowed`,
          "RFC 7541 §6.3"
        )
        return end
      }
      this.table.resize(size)
      if (size <= this.sizeDue) this.sizeDue = Infinity
      i = this.at
    }
    if (this.sizeDue < Infinity) {
      this.fail("InvalidTableSizeUpdate", "No table size update after the limit was lowered", "RFC 9113 §4.3.1")
      return end
    }
    return i
  }

  private readIndexed(bytes: Uint8Array, start: number, end: number): HeaderField | undefined {
    const index = this.readInteger(bytes, start, end, 0x7f)
    return index < 0 ? undefined : this.lookUp(index)
  }

  private readLiteral(bytes: Uint8Array, start: number, end: number, mask: number): HeaderField | undefined {
    const index = this.readInteger(bytes, start, end, mask)
    if (index < 0) return undefined
    const name = index === 0 ? this.readString(bytes, end) : this.lookUp(index)?.name
    if (name === undefined) return undefined
    const value = this.readString(bytes, end)
    return value === undefined ? undefined : new HeaderField(name, value)
  }

  private lookUp(index: number): HeaderField | undefined {
    const field = index === 0 ? undefined : this.table.get(index)
    return field ?? this.fail("InvalidHpackIndex", `Nothing is at index ${index}`, "RFC 7541 §2.3.3")
  }

  /** The integer whose prefix is in the bits `mask` of `bytes[start]`; -1 if it is none: RFC 7541 §5.1. */
  private readInteger(bytes: Uint8Array, start: number, end: number, mask: number): number {
    const prefix = bytes[start] & mask
    if (prefix < mask) {
      this.at = start + 1
      return prefix
    }
    let value = mask
    let factor = 1
    const stop = Math.min(end, start + 1 + maxIntegerOctets)
    for (let i = start + 1; i < stop; i++) {
      value += (bytes[i] & 0x7f) * factor
      if (bytes[i] < 0x80) {
        this.at = i + 1
        return value
      }
      factor *= 0x80
    }
    this.fail(
      "InvalidHpackInteger",
      stop === end ? "The block ends within an integer" : `An integer of more than ${maxIntegerOctets + 1} octets`,
      "RFC 7541 §5.1"
    )
    return -1
  }

  private readString(bytes: Uint8Array, end: number): string | undefined {
    const start = this.at
    if (start >= end) return this.fail("InvalidHpackString", "The block ends before a string", "RFC 7541 §5.2")
    const length = this.readInteger(bytes, start, end, 0x7f)
    if (length < 0) return undefined
    const from = this.at
    const to = from + length
    if (to > end) {
      return this.fail(
        "InvalidHpackString",
        `A string of ${length} octets, ${end - from} before the end of the block`,
        "RFC 7541 §5.2"
      )
    }
    this.at = to
    return bytes[start] < 0x80 ? this.options.latin1(bytes, from, to) : this.readHuffman(bytes, from, to)
  }

  private readHuffman(bytes: Uint8Array, start: number, end: number): string | undefined {
    const bound = decodedBound(end - start)
    const output = bound <= scratch.length ? scratch : new Uint8Array(bound)
    const length = decodeHuffman(bytes, start, end, output)
    return length < 0
      ? this.fail("InvalidHuffmanCode", "A string is no valid Huffman code", "RFC 7541 §5.2")
      : this.options.latin1(output, 0, length)
  }

  private fail(code: HpackErrorCode, detail: string, section: string): undefined {
    this.failure = compressionError(code, detail, section)
    return undefined
  }
}
