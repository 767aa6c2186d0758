/**
 * How long a server asks to wait, in milliseconds: `Retry-After` in seconds or as a date (RFC 9110 §10.2.3), also in the
 * two obsolete forms of dates (§5.6.7). Undefined when it does not say, or not so that it can be understood.
 */
export const parse = (value: string | undefined, now: number): number | undefined => {
  if (value === undefined) return undefined
  const text = value.trim()
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // A date of HTTP begins with the name of the day; what else `Date.parse` takes is not one.
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return undefined
  // The form of C's asctime names no zone, and means UTC.
  const date = Date.parse(text.endsWith("GMT") ? text : `${text} GMT`)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
