/**
 * The URL that a `Location` field leads to.
 *
 * - `None`: there is nothing to follow: no field, or two that differ.
 * - `Invalid`: it is no http URL; `problem` says what it is, and shows none of it.
 *
 * `field` is all of them, or what a client has joined by a comma and a space: a URL has no space, so that is where to split.
 *
 * A field arrives as one character for each octet. Octets that are UTF-8 are read as UTF-8, as browsers do; other octets
 * above 127 are percent-encoded one by one, so that the server gets back the octets that it sent.
 */
export type Location =
  | { readonly _tag: "None" }
  | { readonly _tag: "Invalid"; readonly problem: string }
  | { readonly _tag: "Url"; readonly url: URL }

const none: Location = { _tag: "None" }

export const resolve = (field: string | ReadonlyArray<string> | undefined, base: URL): Location => {
  const location = field === undefined ? undefined : single(typeof field === "string" ? field.split(", ") : field)
  if (location === undefined) return none
  let url: URL
  try {
    url = new URL(fromOctets(location), base)
  } catch {
    return { _tag: "Invalid", problem: "its Location is not a URL" }
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return { _tag: "Invalid", problem: `its Location leads to ${url.protocol}, which is not http` }
  }
  // RFC 9110 §10.2.2: a location without a fragment inherits that of the request.
  if (url.hash === "") url.hash = base.hash
  return { _tag: "Url", url }
}

/** Those who say two things mean neither. */
const single = (locations: ReadonlyArray<string>): string | undefined =>
  locations.every((location) => location === locations[0]) ? locations[0] : undefined

const strictUtf8 = new TextDecoder("utf-8", { fatal: true })

// eslint-disable-next-line no-control-regex
const beyondAscii = /[^\x00-\x7f]/g

const fromOctets = (text: string): string => {
  if (text.search(beyondAscii) < 0) return text
  const octets = Uint8Array.from(text, (char) => char.charCodeAt(0))
  // A client that has decoded the field already.
  if (octets.some((octet, i) => octet !== text.charCodeAt(i))) return text
  try {
    return strictUtf8.decode(octets)
  } catch {
    return text.replace(beyondAscii, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  }
}
