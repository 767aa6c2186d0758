/** What an entry takes beside its octets: RFC 7541 §4.1. The limit on a header list counts the same (RFC 9113 §6.5.2). */
export const fieldOverhead = 32

/**
 * A field as decoded, one character an octet. A field that is in a table is the same object each time it is received, so
 * what its reader has once found out about it is kept on it.
 */
export class HeaderField {
  /** RFC 7541 §4.1. */
  readonly size: number
  /** What kind of field it is; 0 until its reader has looked. It belongs to the reader, as does `text`. */
  kind = 0
  /** The value as it is to be used. */
  text: string

  constructor(readonly name: string, readonly value: string) {
    this.size = name.length + value.length + fieldOverhead
    this.text = value
  }
}
