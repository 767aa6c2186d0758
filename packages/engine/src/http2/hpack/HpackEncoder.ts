import type { ByteSink } from "../frames/ByteSink.js"
import type { Entry, FieldName } from "./EncoderTable.js"
import { EncoderTable } from "./EncoderTable.js"
import { encodeHuffman, huffmanLength } from "./huffmanEncoder.js"
import { maxIntegerBytes, writeInteger } from "./integer.js"
import type { IsSensitive } from "./sensitiveFields.js"
import { sensitiveFields } from "./sensitiveFields.js"
import { defaultTableSize } from "./staticTable.js"

export interface HpackEncoderOptions {
  /** The most octets of the peer's table that are used, however large it is. Default: 4,096, what each peer starts with. */
  readonly maxTableSize?: number
  /** Fields that are always sent in the never-indexed form. Default: `sensitiveFields()`. */
  readonly isSensitive?: IsSensitive
}

/** The first octet of each representation: RFC 7541 §6. */
const indexed = 0x80
const literalIndexed = 0x40
const sizeUpdate = 0x20
const literalNeverIndexed = 0x10
const literalNotIndexed = 0x00

const huffmanCoded = 0x80

/** The positions of a field list that are remembered. */
const maxRemembered = 64

/** A value whose length in Huffman code has not been counted. */
const uncounted = -1

/** What was sent last at one position of the field list. Requests of one caller are alike, so it is looked at first. */
interface Remembered {
  name: string
  value: string
  /** The index of the field in the static table, 0 for none. */
  staticIndex: number
  /** Its entry in the dynamic table. */
  entry: Entry | undefined
  /** The octets of a literal that refers to nothing in the dynamic table: they mean the same at any time. */
  literal: Uint8Array | undefined
}

/** Encodes the header blocks of one connection, in order: RFC 7541. */
export class HpackEncoder {
  private readonly table = new EncoderTable()
  private readonly maxTableSize: number
  private readonly isSensitive: IsSensitive
  private tableSize: number
  /** The smallest size since the last block. */
  private smallestSize: number
  /** The size that the peer's decoder knows of. */
  private announcedSize = defaultTableSize
  private readonly remembered: Array<Remembered> = []
  /** What each value of the present block takes in Huffman code, counted when it was checked. */
  private readonly valueLengths: Array<number> = []

  constructor(options: HpackEncoderOptions = {}) {
    this.maxTableSize = options.maxTableSize ?? defaultTableSize
    this.isSensitive = options.isSensitive ?? sensitiveFields()
    this.tableSize = this.smallestSize = Math.min(defaultTableSize, this.maxTableSize)
    this.table.resize(this.tableSize)
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. What follows from it is said at the start of the next block. */
  setPeerTableSize(octets: number): void {
    this.tableSize = Math.min(octets, this.maxTableSize)
    this.smallestSize = Math.min(this.smallestSize, this.tableSize)
    this.table.resize(this.tableSize)
  }

  /**
   * Writes the block of `fields`: name, value, name, value …, one character an octet, names in lower case. Returns false
   * if a character is no octet, and then nothing was written and the table is as it was. A block that was written must be
   * sent, and in order, for the peer's table has to follow ours.
   */
  encode(sink: ByteSink, fields: ReadonlyArray<string>): boolean {
    // Nothing can fail once the table has been touched: all is checked, and there is room for all, before that.
    if (!this.check(fields)) return false
    sink.ensure(blockBound(fields))
    this.writeSizeUpdates(sink)
    for (let i = 0; i < fields.length; i += 2) this.encodeField(sink, i >>> 1, fields[i], fields[i + 1])
    return true
  }

  private check(fields: ReadonlyArray<string>): boolean {
    for (let i = 0; i < fields.length; i += 2) {
      const last = this.remembered[i >>> 1]
      if (last !== undefined && last.value === fields[i + 1] && last.name === fields[i]) {
        this.valueLengths[i >>> 1] = uncounted
        continue
      }
      if (this.table.known(fields[i]) === undefined && huffmanLength(fields[i]) < 0) return false
      const length = huffmanLength(fields[i + 1])
      if (length < 0) return false
      this.valueLengths[i >>> 1] = length
    }
    return true
  }

  /** RFC 7541 §4.2: the smallest size first, for the peer has to evict as we did. */
  private writeSizeUpdates(sink: ByteSink): void {
    if (this.smallestSize < Math.min(this.tableSize, this.announcedSize)) this.writeSizeUpdate(sink, this.smallestSize)
    if (this.tableSize !== this.announcedSize) this.writeSizeUpdate(sink, this.tableSize)
    this.smallestSize = this.tableSize
  }

  private writeSizeUpdate(sink: ByteSink, octets: number): void {
    sink.end = writeInteger(sink.bytes, sink.end, sizeUpdate, 5, octets)
    this.announcedSize = octets
  }

  private encodeField(sink: ByteSink, position: number, name: string, value: string): void {
    const last = this.remembered[position]
    if (last === undefined || last.value !== value || last.name !== name) {
      return this.encodeOther(sink, position, name, value)
    }
    if (last.staticIndex !== 0) {
      this.writeIndex(sink, last.staticIndex)
    } else if (last.entry !== undefined && !last.entry.evicted) {
      last.entry.name.used()
      this.writeIndex(sink, this.table.indexOf(last.entry))
    } else if (last.literal !== undefined) {
      sink.bytes.set(last.literal, sink.end)
      sink.end += last.literal.length
    } else {
      this.encodeOther(sink, position, name, value)
    }
  }

  private encodeOther(sink: ByteSink, position: number, text: string, value: string): void {
    const name = this.table.known(text) ?? this.table.remember(text)
    if (this.isSensitive(text, value)) return this.encodeApart(sink, literalNeverIndexed, position, name, value)
    const staticIndex = name.staticField(value)
    if (staticIndex !== 0) {
      this.remember(position, text, value, staticIndex, undefined)
      return this.writeIndex(sink, staticIndex)
    }
    const entry = name.find(value)
    if (entry !== undefined) {
      name.used()
      this.remember(position, text, value, 0, entry)
      return this.writeIndex(sink, this.table.indexOf(entry))
    }
    if (!this.table.hasRoomFor(text, value)) return this.encodeApart(sink, literalNotIndexed, position, name, value)
    const nameIndex = this.nameIndex(name)
    if (name.deservesEntry(value)) {
      this.writeLiteral(sink, literalIndexed, 6, nameIndex, position, text, value)
      this.remember(position, text, value, 0, this.table.insert(name, value))
    } else {
      this.writeLiteral(sink, literalNotIndexed, 4, nameIndex, position, text, value)
      this.remember(position, text, value, 0, undefined)
    }
  }

  /**
   * A literal that never enters the table, though it may come with each request: a long token, a large cookie. It refers
   * to nothing in the dynamic table, so the second time its octets are kept.
   */
  private encodeApart(sink: ByteSink, form: number, position: number, name: FieldName, value: string): void {
    const last = this.remembered[position]
    const again = last !== undefined && last.value === value && last.name === name.text
    const start = sink.end
    this.writeLiteral(sink, form, 4, name.staticIndex, position, name.text, value)
    this.remember(position, name.text, value, 0, undefined)
    if (again) last.literal = sink.bytes.slice(start, sink.end)
  }

  private nameIndex(name: FieldName): number {
    if (name.staticIndex !== 0) return name.staticIndex
    return name.newest === undefined ? 0 : this.table.indexOf(name.newest)
  }

  private remember(
    position: number,
    name: string,
    value: string,
    staticIndex: number,
    entry: Entry | undefined
  ): void {
    const last = this.remembered[position]
    if (last !== undefined) {
      last.name = name
      last.value = value
      last.staticIndex = staticIndex
      last.entry = entry
      last.literal = undefined
    } else if (position < maxRemembered && position === this.remembered.length) {
      this.remembered.push({ name, value, staticIndex, entry, literal: undefined })
    }
  }

  private writeIndex(sink: ByteSink, index: number): void {
    sink.end = writeInteger(sink.bytes, sink.end, indexed, 7, index)
  }

  private writeLiteral(
    sink: ByteSink,
    form: number,
    prefixBits: number,
    nameIndex: number,
    position: number,
    name: string,
    value: string
  ): void {
    let end = writeInteger(sink.bytes, sink.end, form, prefixBits, nameIndex)
    if (nameIndex === 0) end = writeString(sink.bytes, end, name, huffmanLength(name))
    const counted = this.valueLengths[position]
    sink.end = writeString(sink.bytes, end, value, counted === uncounted ? huffmanLength(value) : counted)
  }
}

/** The most octets that a block of these fields can take: Huffman code is used only where it is shorter. */
export const blockBound = (fields: ReadonlyArray<string>): number => {
  let octets = 2 * maxIntegerBytes
  for (let i = 0; i < fields.length; i++) octets += fields[i].length + 2 * maxIntegerBytes
  return octets
}

/** `coded`: what it takes in Huffman code. */
const writeString = (output: Uint8Array, at: number, text: string, coded: number): number => {
  if (coded < text.length) return encodeHuffman(text, output, writeInteger(output, at, huffmanCoded, 7, coded))
  let end = writeInteger(output, at, 0, 7, text.length)
  for (let i = 0; i < text.length; i++) output[end++] = text.charCodeAt(i)
  return end
}
