/** A URL for a message. What comes after `?` or `#` or before `@` may be a secret. */
export const quoteUrl = (url: string): string =>
  JSON.stringify(url.replace(/[?#].*$/s, "").replace(/\/\/[^/]*@/, "//").slice(0, 200))
