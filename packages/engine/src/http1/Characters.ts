/** The octets that HTTP/1.1 syntax is made of. */
export const HTAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const SP = 0x20
export const DQUOTE = 0x22
export const COMMA = 0x2c
export const ZERO = 0x30
export const NINE = 0x39
export const COLON = 0x3a
export const SEMICOLON = 0x3b
export const EQUALS = 0x3d
export const BACKSLASH = 0x5c
export const DEL = 0x7f

const table = (characters: string): Uint8Array => {
  const members = new Uint8Array(256)
  for (let i = 0; i < characters.length; i++) members[characters.charCodeAt(i)] = 1
  return members
}

const digits = "0123456789"
const letters = "abcdefghijklmnopqrstuvwxyz"

/** 1 for each octet of a token: RFC 9110 §5.6.2, `tchar`. */
export const TOKEN: Uint8Array = table(`!#$%&'*+-.^_\`|~${digits}${letters}${letters.toUpperCase()}`)

/** 1 for each octet that may stand in a field value: RFC 9110 §5.5, `field-vchar`, SP and HTAB. */
export const FIELD_VALUE: Uint8Array = new Uint8Array(256).map((_, octet) =>
  octet === HTAB || (octet >= SP && octet !== DEL) ? 1 : 0
)

/** The value of a hexadecimal digit, 16 for every other octet. */
export const HEX: Uint8Array = new Uint8Array(256).map((_, octet) => {
  const value = "0123456789abcdef".indexOf(String.fromCharCode(octet).toLowerCase())
  return value < 0 ? 16 : value
})

/** The octets of an ASCII string, for comparing with input. */
export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

/**
 * Whether `bytes[start, end)` is `lowerCase`, letters of any case. OR-ing 0x20 maps no octet to a letter but its two
 * cases, and to a hyphen only the hyphen and CR, which no caller lets come this far.
 */
export const equalsIgnoringCase = (bytes: Uint8Array, start: number, end: number, lowerCase: Uint8Array): boolean => {
  if (end - start !== lowerCase.length) return false
  for (let i = 0; i < lowerCase.length; i++) {
    if ((bytes[start + i] | 0x20) !== lowerCase[i]) return false
  }
  return true
}
