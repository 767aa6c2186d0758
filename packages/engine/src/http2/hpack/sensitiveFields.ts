/** Says whether a field is to be sent in the never-indexed form: RFC 7541 §6.2.3. */
export type IsSensitive = (name: string, value: string) => boolean

/** A cookie shorter than this can be found by trying: RFC 7541 §7.1.3. */
const guessableCookie = 20

/** Fields whose values are secrets. */
const credentials: ReadonlyArray<string> = ["authorization", "proxy-authorization"]

/**
 * The fields that enter no table, on our side or on that of an intermediary, so that nobody who shares a connection can
 * guess their values by the size of what is sent (RFC 7541 §7.1). By default these are credentials, and cookies that are
 * short enough to be guessed.
 *
 * `add` names fields in lower case that are secret too (`cookie`: of any length). `remove` names fields that are not, which
 * saves their octets on every request after the first; it prevails over `add`.
 */
export const sensitiveFields = (
  { add = [], remove = [] }: { readonly add?: Iterable<string>; readonly remove?: Iterable<string> } = {}
): IsSensitive => {
  const names = new Set([...credentials, ...add])
  let shortCookies = true
  for (const name of remove) {
    names.delete(name)
    if (name === "cookie") shortCookies = false
  }
  return (name, value) => names.has(name) || (shortCookies && name === "cookie" && value.length < guessableCookie)
}
