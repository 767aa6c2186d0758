/** The pairs of a query, in order. */
export type Query = ReadonlyArray<readonly [name: string, value: string]>

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "))
  } catch {
    // Not UTF-8, or no percent-encoding at all: it stands for itself.
    return text
  }
}

/** What stands after the question mark, as forms encode it. */
export const parseQuery = (text: string): Query =>
  text.split("&").filter((pair) => pair !== "").map((pair) => {
    const at = pair.indexOf("=")
    return at < 0 ? [decode(pair), ""] as const : [decode(pair.slice(0, at)), decode(pair.slice(at + 1))] as const
  })

const unreserved = /[A-Za-z0-9\-._~]/

/**
 * Paths that mean the same are the same text: what need not be encoded is not, what must be is, in upper case (RFC 3986
 * §6.2.2). An encoded slash stays one, for it separates nothing.
 */
export const normalizePath = (path: string): string =>
  path
    .replace(/[^\x21-\x7e]+/gu, (text) => encodeURIComponent(text))
    .replace(/%([0-9a-fA-F]{2})/g, (encoded, hex: string) => {
      const character = String.fromCharCode(parseInt(hex, 16))
      return unreserved.test(character) ? character : encoded.toUpperCase()
    })
    .replace(/["<>\\^`{|}]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
