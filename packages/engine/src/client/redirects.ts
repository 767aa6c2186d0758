/** The statuses that lead elsewhere by themselves. 300 offers a choice, 304 and 305 mean something else (RFC 9110 §15.4). */
export const isRedirect = (status: number): boolean =>
  status === 301 || status === 302 || status === 303 || status === 307 || status === 308

const contentFields: ReadonlySet<string> = new Set([
  "digest",
  "expect",
  "last-modified",
  "repr-digest",
  "trailer",
  "transfer-encoding"
])

/** They describe content that is no longer sent (RFC 9110 §15.4). */
const describesContent = (name: string): boolean => name.startsWith("content-") || contentFields.has(name)

/**
 * What goes along to another origin: fields that say what is asked for and describe content. All others may be a secret of
 * the origin that they were given for, whatever their name.
 */
export const harmlessFields: ReadonlyArray<string> = [
  "accept",
  "accept-charset",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "content-digest",
  "content-encoding",
  "content-language",
  "content-length",
  "content-location",
  "content-type",
  "expect",
  "idempotency-key",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "pragma",
  "priority",
  "range",
  "repr-digest",
  "user-agent"
]

/** How a request differs from the one that was redirected. */
export interface Step {
  readonly from: URL
  readonly to: URL
  /** It is a GET now, without the content that the first request had. */
  readonly becomesGet: boolean
  /** It goes to another origin than the request before it. */
  readonly crosses: boolean
}

export const stepOf = (method: string, status: number, from: URL, to: URL): Step => ({
  from,
  to,
  becomesGet: status === 303
    ? method !== "HEAD" && method !== "GET"
    : (status === 301 || status === 302) && method === "POST",
  crosses: !isSameParty(from, to)
})

/** The same origin, or the same host moved from http to https on the usual ports. */
const isSameParty = (from: URL, to: URL): boolean =>
  from.origin === to.origin ||
  (from.hostname === to.hostname && from.protocol === "http:" && to.protocol === "https:" &&
    from.port === "" && to.port === "")

/** Whether content that can be sent again may go along: it may leave its origin, never in the clear. */
export const mayLeave = ({ crosses, from, to }: Step, bodiesAcrossOrigins: boolean): boolean =>
  !crosses || (bodiesAcrossOrigins && !(from.protocol === "https:" && to.protocol === "http:"))

type Fields = Readonly<Record<string, string>>

/** Which header fields go along with a redirected request, before anybody else has had a say. */
export const redirectedFields = (
  fields: Fields,
  { becomesGet, from, to }: Pick<Step, "becomesGet" | "from" | "to">,
  isAllowed: (name: string) => boolean
): Record<string, string> =>
  pick(fields, (name) =>
    name === "host"
      // It is another name for the origin that it was set for.
      ? from.origin === to.origin
      : isAllowed(name) && !(becomesGet && describesContent(name)))

/** Which fields mappers may have made of those of a hop: across origins nothing passes that they added, unless it is listed. */
export const keptFields = (
  hop: Fields,
  mapped: Fields,
  becomesGet: boolean,
  isAllowed: (name: string) => boolean
): Record<string, string> =>
  pick(mapped, (name, value) => hop[name] === value || (isAllowed(name) && !(becomesGet && describesContent(name))))

const pick = (fields: Fields, isKept: (name: string, value: string) => boolean): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).filter(([name, value]) => isKept(name, value)))

/** A URL as text and its fragment, which is set apart. */
export const splitFragment = ({ hash, href }: URL): readonly [url: string, fragment: string | undefined] =>
  hash === "" ? [href, undefined] : [href.slice(0, -hash.length), hash.slice(1)]

export const withoutUserinfo = (url: URL): string => {
  if (url.username === "" && url.password === "") return url.href
  const shown = new URL(url)
  shown.username = ""
  shown.password = ""
  return shown.href
}
