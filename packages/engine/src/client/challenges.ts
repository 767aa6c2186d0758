/** What a server asks for (RFC 9110 §11.3); names in lower case. */
export interface Challenge {
  readonly scheme: string
  readonly params: Readonly<Record<string, string>>
}

// A parameter; or else the scheme that begins the next challenge. Both stand between commas, several challenges in one
// field too.
const piece =
  /[\s,]*(?:([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([\w!#$%&'*+.^`|~-]+)(?=[\s,]|$))/gy

/** The challenges of a field. What cannot be read ends it. */
export const challengesOf = (field: string): ReadonlyArray<Challenge> => {
  const challenges: Array<{ scheme: string; params: Record<string, string> }> = []
  piece.lastIndex = 0
  for (let match = piece.exec(field); match !== null; match = piece.exec(field)) {
    const [, name, text, token, scheme] = match
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), params: Object.create(null) })
    else {
      const challenge = challenges[challenges.length - 1]
      if (challenge === undefined) return []
      challenge.params[name.toLowerCase()] ??= text === undefined ? token : text.replace(/\\(.)/g, "$1")
    }
  }
  return challenges
}
