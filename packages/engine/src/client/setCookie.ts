/**
 * A `Set-Cookie` field as it was received, before anything was decided about it (RFC 6265bis §5.6).
 */
export interface SetCookie {
  readonly name: string
  readonly value: string
  /** In milliseconds since the epoch; `-Infinity` for one that is to go. */
  readonly expires: number | undefined
  /** In milliseconds. It comes before `expires`. */
  readonly maxAge: number | undefined
  /** Lower case, without a dot in front; undefined when it is not given or empty. */
  readonly domain: string | undefined
  readonly path: string | undefined
  readonly secure: boolean
  readonly httpOnly: boolean
  readonly partitioned: boolean
  readonly sameSite: "Strict" | "Lax" | "None" | undefined
}

/** All controls but the tab. */
// eslint-disable-next-line no-control-regex
const controls = /[\x00-\x08\x0a-\x1f\x7f]/

const maxSize = 4096
const maxAttributeSize = 1024

/** Undefined: the field is to be ignored. */
export const parse = (field: string): SetCookie | undefined => {
  if (controls.test(field)) return undefined
  const [pair, ...attributes] = field.split(";")
  const [name, value] = split(pair) ?? ["", trim(pair)]
  // Characters are octets here.
  if (name.length + value.length === 0 || name.length + value.length > maxSize) return undefined
  const cookie: { -readonly [K in keyof SetCookie]: SetCookie[K] } = {
    name,
    value,
    expires: undefined,
    maxAge: undefined,
    domain: undefined,
    path: undefined,
    secure: false,
    httpOnly: false,
    partitioned: false,
    sameSite: undefined
  }
  for (const attribute of attributes) {
    const [name, value] = split(attribute) ?? [trim(attribute), ""]
    if (value.length > maxAttributeSize) continue
    switch (name.toLowerCase()) {
      case "expires":
        cookie.expires = parseDate(value) ?? cookie.expires
        break
      case "max-age":
        if (/^-?\d+$/.test(value)) cookie.maxAge = Number(value) <= 0 ? -Infinity : Number(value) * 1000
        break
      case "domain":
        cookie.domain = (value.startsWith(".") ? value.slice(1) : value).toLowerCase() || undefined
        break
      case "path":
        cookie.path = value.startsWith("/") ? value : undefined
        break
      case "secure":
        cookie.secure = true
        break
      case "httponly":
        cookie.httpOnly = true
        break
      case "partitioned":
        cookie.partitioned = true
        break
      case "samesite":
        cookie.sameSite = sameSites[value.toLowerCase()]
        break
    }
  }
  return cookie
}

const sameSites: Readonly<Record<string, SetCookie["sameSite"]>> = Object.assign(Object.create(null), {
  strict: "Strict",
  lax: "Lax",
  none: "None"
})

const trim = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, "")

const split = (text: string): readonly [string, string] | undefined => {
  const equals = text.indexOf("=")
  return equals < 0 ? undefined : [trim(text.slice(0, equals)), trim(text.slice(equals + 1))]
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

/** The date of a cookie, which is not that of HTTP: its parts are found wherever they stand (RFC 6265bis §5.1.1). */
export const parseDate = (text: string): number | undefined => {
  let time: ReadonlyArray<number> | undefined
  let day: number | undefined
  let month: number | undefined
  let year: number | undefined
  for (const token of text.split(/[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+/)) {
    const clock = time === undefined && /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?!\d)/.exec(token)
    if (clock) time = clock.slice(1).map(Number)
    else if (day === undefined && /^\d{1,2}(?!\d)/.test(token)) day = parseInt(token, 10)
    else if (month === undefined && months.includes(token.slice(0, 3).toLowerCase())) {
      month = months.indexOf(token.slice(0, 3).toLowerCase())
    } else if (year === undefined && /^\d{2,4}(?!\d)/.test(token)) year = parseInt(token, 10)
  }
  if (time === undefined || day === undefined || month === undefined || year === undefined) return undefined
  if (year >= 70 && year <= 99) year += 1900
  else if (year <= 69) year += 2000
  const [hours, minutes, seconds] = time
  if (day < 1 || day > 31 || year < 1601 || hours > 23 || minutes > 59 || seconds > 59) return undefined
  const date = new Date(Date.UTC(year, month, day, hours, minutes, seconds))
  return date.getUTCDate() === day ? date.getTime() : undefined
}
