const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const lowerCaseToken = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const upperCase = /[A-Z]/
const unfitForValue = /[^\t\x20-\x7e\x80-\xff]/
const unfitForTarget = /[^\x21-\x7e\x80-\xff]/
const outerBlanks = /^[ \t]|[ \t]$/
const blanks = /^[ \t]+|[ \t]+$/g

/** RFC 9110 §5.6.2. */
export const isToken = (text: string): boolean => token.test(text)

/** The name of a field, as HTTP/2 writes it (RFC 9113 §8.2.1). */
export const isFieldName = (name: string): boolean => lowerCaseToken.test(name)

export const hasUpperCase = (name: string): boolean => upperCase.test(name)

/** Octets, and of the controls only HTAB (RFC 9110 §5.5). */
export const isFieldValue = (value: string): boolean => !unfitForValue.test(value)

/** No blanks and no controls, one octet each: what a URL can hold. */
export const isTarget = (target: string): boolean => target !== "" && !unfitForTarget.test(target)

// uri-host of RFC 3986 §3.2.2 and a port. No comma: two values are not one.
const authority = /^(?:\[[0-9A-Fa-f:.]+\]|[\w\-.~%!$&'()*+;=]+)(?::\d{0,5})?$/

/** One host with an optional port. */
export const isAuthority = (text: string): boolean => authority.test(text)

/** Without the blanks around it, which do not belong to the value (RFC 9110 §5.5). */
export const trim = (value: string): string => outerBlanks.test(value) ? value.replace(blanks, "") : value

const quotable = 48

/** What was meant for a token, up to what is none of its characters: what follows may be the value, and so a secret. */
export const quoteToken = (text: string): string => {
  const [shown] = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]*[^]?/.exec(text)!
  return shown.length < text.length ? `${quoteText(shown).slice(0, -1)}…"` : quoteText(text)
}

/** The beginning of a text in double quotes, everything but printable ASCII escaped: safe in a log. */
export const quoteText = (text: string): string => {
  const shown = text.slice(0, quotable).replace(
    /[^\x20-\x7e]|["\\]/g,
    (character) =>
      character === "\"" || character === "\\"
        ? `\\${character}`
        : `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`
  )
  return text.length > quotable ? `"${shown}…"` : `"${shown}"`
}
