/** What says how a message is made, and nothing of who sends it or what for. */
const harmless = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "age",
  "allow",
  "cache-control",
  "connection",
  "content-encoding",
  "content-language",
  "content-length",
  "content-type",
  "date",
  "expires",
  "host",
  "keep-alive",
  "last-modified",
  "retry-after",
  "server",
  "transfer-encoding",
  "user-agent",
  "vary"
])

/** Whether a header's value may be shown. Any other may be a secret: there are more names for tokens than can be listed. */
export const isHarmless = (name: string): boolean => harmless.has(name.toLowerCase())

/** Headers for people: names, and the values of those that are harmless. */
export const redactHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, isHarmless(name) ? value : "<redacted>"]))
