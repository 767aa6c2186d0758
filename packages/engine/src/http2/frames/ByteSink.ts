/**
 * Where frames are written. Writers call `ensure` once for all that they are about to write, then put octets at
 * `bytes[end]` and move `end`.
 */
export interface ByteSink {
  /** May be another array after `ensure`. */
  readonly bytes: Uint8Array
  end: number
  /** Makes room for so many octets after `end`. */
  ensure(octets: number): void
}
