import * as huffman from "./huffman.js"
import type { Field } from "./tables.js"
import { DynamicTable, staticTable } from "./tables.js"

export class HpackError extends Error {
  override readonly name = "HpackError"
}

/** Writes fields as literals without indexing (RFC 7541 section 6.2.2): no state, and any bytes pass. */
export const encode = (fields: ReadonlyArray<Field>): Buffer =>
  Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), string(name), string(value)]))

const string = (text: string): Buffer => {
  const bytes = Buffer.from(text, "latin1")
  return Buffer.concat([integer(bytes.length), bytes])
}

// RFC 7541 section 5.1, with a prefix of seven bits and no Huffman flag.
const integer = (n: number): Buffer => {
  if (n < 127) return Buffer.from([n])
  const bytes = [127]
  let rest = n - 127
  for (; rest >= 128; rest >>>= 7) bytes.push((rest & 127) | 128)
  return Buffer.from([...bytes, rest])
}

/** Reads header blocks of one connection, in order. */
export class Decoder {
  private readonly table = new DynamicTable(4096)

  decode(block: Uint8Array): ReadonlyArray<Field> {
    const reader = new Reader(block)
    const fields: Array<Field> = []
    while (!reader.done) {
      const byte = reader.peek()
      if (byte & 0x80) {
        fields.push(this.lookUp(reader.integer(7)))
      } else if (byte & 0x40) {
        const field = this.literal(reader, 6)
        this.table.add(field)
        fields.push(field)
      } else if (byte & 0x20) {
        this.table.resize(reader.integer(5))
      } else {
        fields.push(this.literal(reader, 4))
      }
    }
    return fields
  }

  private literal(reader: Reader, prefix: number): Field {
    const index = reader.integer(prefix)
    const name = index === 0 ? reader.string() : this.lookUp(index)[0]
    return [name, reader.string()]
  }

  private lookUp(index: number): Field {
    const field = index <= staticTable.length ? staticTable[index - 1] : this.table.get(index - staticTable.length - 1)
    if (field === undefined) throw new HpackError(`no entry ${index}`)
    return field
  }
}

class Reader {
  private at = 0

  constructor(private readonly bytes: Uint8Array) {}

  get done(): boolean {
    return this.at >= this.bytes.length
  }

  peek(): number {
    if (this.done) throw new HpackError("the block ends too early")
    return this.bytes[this.at]
  }

  integer(prefix: number): number {
    const max = 2 ** prefix - 1
    let value = this.next() & max
    if (value < max) return value
    for (let weight = 1;; weight *= 128) {
      const byte = this.next()
      value += (byte & 127) * weight
      if (value > 2 ** 32) throw new HpackError("an integer is too large")
      if (byte < 128) return value
    }
  }

  string(): string {
    const isHuffman = (this.peek() & 0x80) !== 0
    const length = this.integer(7)
    if (this.at + length > this.bytes.length) throw new HpackError("a string ends too early")
    const bytes = this.bytes.subarray(this.at, this.at + length)
    this.at += length
    const text = isHuffman ? huffman.decode(bytes) : Buffer.from(bytes)
    if (text === undefined) throw new HpackError("a string is badly encoded")
    return text.toString("latin1")
  }

  private next(): number {
    const byte = this.peek()
    this.at++
    return byte
  }
}
