/** A text as octets of UTF-8; without a runtime there is nothing that does it. */
export const utf8 = (text: string): ReadonlyArray<number> => {
  const octets: Array<number> = []
  for (const character of text) {
    const code = character.codePointAt(0)!
    if (code < 0x80) octets.push(code)
    else if (code < 0x800) octets.push(0xc0 | code >> 6, 0x80 | code & 63)
    else if (code < 0x1_0000) octets.push(0xe0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63)
    else octets.push(0xf0 | code >> 18, 0x80 | code >> 12 & 63, 0x80 | code >> 6 & 63, 0x80 | code & 63)
  }
  return octets
}
