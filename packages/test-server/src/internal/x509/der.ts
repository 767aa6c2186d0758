/** As much of DER (ITU-T X.690) as a certificate needs. */

const value = (tag: number, ...contents: ReadonlyArray<Uint8Array>): Buffer => {
  const body = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag]), length(body.length), body])
}

// X.690 section 8.1.3: one byte below 128, else the number of bytes that follow.
const length = (n: number): Buffer => {
  if (n < 128) return Buffer.from([n])
  const bytes = []
  for (let rest = n; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff)
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

export const sequence = (...items: ReadonlyArray<Uint8Array>): Buffer => value(0x30, ...items)

export const set = (...items: ReadonlyArray<Uint8Array>): Buffer => value(0x31, ...items)

export const boolean = (b: boolean): Buffer => value(0x01, Buffer.from([b ? 0xff : 0]))

/** A positive integer from its bytes, the most significant first. */
export const integer = (bytes: Uint8Array): Buffer => {
  const start = bytes.findIndex((byte) => byte !== 0)
  const significant = start === -1 ? Buffer.from([0]) : bytes.subarray(start)
  return value(0x02, ...(significant[0] >= 0x80 ? [Buffer.from([0])] : []), significant)
}

export const bitString = (bytes: Uint8Array, unusedBits = 0): Buffer => value(0x03, Buffer.from([unusedBits]), bytes)

export const octetString = (bytes: Uint8Array): Buffer => value(0x04, bytes)

export const utf8String = (text: string): Buffer => value(0x0c, Buffer.from(text, "utf8"))

/** `[tag] EXPLICIT` or a constructed `[tag] IMPLICIT`. */
export const context = (tag: number, ...contents: ReadonlyArray<Uint8Array>): Buffer => value(0xa0 | tag, ...contents)

/** A primitive `[tag] IMPLICIT`. */
export const implicit = (tag: number, bytes: Uint8Array): Buffer => value(0x80 | tag, bytes)

export const objectIdentifier = (dotted: string): Buffer => {
  const [first, second, ...rest] = dotted.split(".").map(Number)
  return value(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

const base128 = (n: number): ReadonlyArray<number> => {
  const bytes = [n & 0x7f]
  for (let rest = n >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80)
  return bytes
}

/** RFC 5280 section 4.1.2.5: two digits for the year until 2049, four from then on. */
export const time = (date: Date): Buffer => {
  const digits = date.toISOString().replace(/\.\d+|[-:T]/g, "")
  const year = date.getUTCFullYear()
  return year >= 1950 && year < 2050
    ? value(0x17, Buffer.from(digits.slice(2), "latin1"))
    : value(0x18, Buffer.from(digits, "latin1"))
}

export const pem = (label: string, der: Uint8Array): string => {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g)!
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`
}
