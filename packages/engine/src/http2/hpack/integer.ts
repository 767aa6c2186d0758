/** The most octets that `writeInteger` takes. */
export const maxIntegerBytes = 6

/** Writes `value` with a prefix of so many bits below the bits of `first`: RFC 7541 §5.1. Returns where it ends. */
export const writeInteger = (
  output: Uint8Array,
  at: number,
  first: number,
  prefixBits: number,
  value: number
): number => {
  const limit = (1 << prefixBits) - 1
  if (value < limit) {
    output[at] = first | value
    return at + 1
  }
  output[at] = first | limit
  let end = at + 1
  let rest = value - limit
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) output[end++] = rest % 0x80 | 0x80
  output[end] = rest
  return end + 1
}
