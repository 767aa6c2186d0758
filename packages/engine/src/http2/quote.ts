const quoteOctet = (octet: number): string =>
  octet === 0x22 || octet === 0x5c
    ? `\\${String.fromCharCode(octet)}`
    : octet >= 0x20 && octet < 0x7f
    ? String.fromCharCode(octet)
    : `\\x${octet.toString(16).padStart(2, "0")}`

/** The beginning of `bytes[start, end)` in double quotes, everything but printable ASCII escaped: safe in a log. */
export const quoteBytes = (bytes: Uint8Array, start: number, end: number, most: number): string => {
  const stop = Math.min(end, start + most)
  let quoted = "\""
  for (let i = start; i < stop; i++) quoted += quoteOctet(bytes[i])
  return stop < end ? `${quoted}…"` : `${quoted}"`
}
