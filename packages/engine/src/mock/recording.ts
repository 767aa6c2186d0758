import { isHarmless } from "../client/index.js"
import { percentDecode } from "../percentDecode.js"
import { isSecret, normalizePath } from "../routes/index.js"
import type { Matcher, Recording, Request } from "./models.js"
import type { PassedReply } from "./passed.js"

const redacted = "REDACTED"

type Recorded = Recording["exchanges"][number]

/** A request and its reply, with all secrets redacted. */
export const toRecorded = (request: Request, { body, headers, status }: PassedReply): Recorded => ({
  request: {
    method: request.method,
    url: redactUrl(request.url),
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, isHarmless(name) ? value : redacted])
    ),
    body: bodyOf(request)
  },
  response: {
    status,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, redactHeader(name, value)])),
    ...toText(body)
  }
})

const redactHeader = (name: string, value: string | ReadonlyArray<string>) => {
  if (isSecret(name)) return redacted
  // A signed URL is a secret as well.
  if (name !== "location") return value
  return typeof value === "string" ? redactUrl(value) : value.map(redactUrl)
}

/** As it is kept and compared. The boundary of a form in parts is another one each time. */
const bodyOf = (request: Request): string => {
  const [, boundary] = /^multipart\/.*;\s*boundary="?([^";]+)/i.exec(request.headers["content-type"] ?? "") ?? []
  return boundary === undefined
    ? redactText(request.body)
    : request.body.split(`--${boundary}`).map(redactPart).join("--boundary")
}

const redactPart = (part: string): string => {
  const at = part.indexOf("\r\n\r\n")
  const [, name] = /content-disposition:[^\r\n]*;\s*name="([^"]*)"/i.exec(part.slice(0, Math.max(at, 0))) ?? []
  return name !== undefined && isSecret(name) ? `${part.slice(0, at + 4)}${redacted}\r\n` : part
}

/** Of a query, the values whose names say that they are secret. */
export const redactUrl = (url: string): string => {
  const at = url.indexOf("?")
  return at < 0 ? url : `${url.slice(0, at)}?${redactPairs(url.slice(at + 1))}`
}

const redactPairs = (text: string): string =>
  text.split("&").map((pair) => {
    const [name] = pair.split("=", 1)
    return isSecret(percentDecode(name)) ? `${name}=${redacted}` : pair
  }).join("&")

const redactText = (text: string): string => {
  if (/^\s*[[{]/.test(text)) {
    try {
      return JSON.stringify(redactJson(JSON.parse(text)))
    } catch {
      return text
    }
  }
  return /^[^\s=&]+=[^\s&]*(&[^\s=&]+=[^\s&]*)*$/.test(text) ? redactPairs(text) : text
}

/** `isHidden`: what is below a secret name is secret as well. */
const redactJson = (value: unknown, isHidden = false): unknown => {
  if (Array.isArray(value)) return value.map((below) => redactJson(below, isHidden))
  if (typeof value !== "object" || value === null) {
    return isHidden && (typeof value === "string" || typeof value === "number") ? redacted : value
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, below]) => [name, redactJson(below, isHidden || isSecret(name))])
  )
}

const toText = (bytes: Uint8Array): Pick<Recorded["response"], "body" | "encoding"> => {
  try {
    return { body: redactText(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), encoding: "utf-8" }
  } catch {
    return { body: btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")), encoding: "base64" }
  }
}

const toBytes = ({ body, encoding }: Recorded["response"]): Uint8Array =>
  encoding === "utf-8"
    ? new TextEncoder().encode(body)
    : Uint8Array.from(atob(body), (character) => character.charCodeAt(0))

/**
 * What was redacted may be anything; a URL without a query has none. A URL that was sent may have in it what is a name or a
 * star in a route: then the route means more, and `isSame` less.
 */
const routeOf = (url: string): string => {
  const [path, query] = url.split(/\?(.*)/s, 2)
  const route = path.replaceAll(/\/:[A-Za-z_][A-Za-z0-9_]*(?=\/|$)/g, "/*")
  return `${route}?${query === undefined ? "" : query.replaceAll(`=${redacted}`, "=*")}`
}

const pathOf = (url: string): string => normalizePath(url.split("?", 1)[0])

/** The pairs of a URL, redacted, in any order. */
const pairsOf = (url: string): string => redactUrl(url).split(/\?(.*)/s)[1]?.split("&").sort().join("&") ?? ""

const isSame = (request: Request, recorded: Recorded["request"]): boolean =>
  bodyOf(request) === recorded.body &&
  (!/\*|\/:/.test(recorded.url.slice(recorded.url.indexOf("//") + 2)) ||
    pathOf(request.url) === pathOf(recorded.url) && pairsOf(request.url) === pairsOf(recorded.url))

/** The requests that are the same, each once, with what they got one after the other. */
export const replayed = ({ exchanges }: Recording): ReadonlyArray<{
  readonly matcher: Pick<Matcher, "method" | "url" | "where">
  readonly replies: ReadonlyArray<PassedReply>
}> => {
  const byRequest = new Map<string, Array<Recorded>>()
  for (const exchange of exchanges) {
    const { body, method, url } = exchange.request
    const key = JSON.stringify([method, url, body])
    const same = byRequest.get(key)
    if (same === undefined) byRequest.set(key, [exchange])
    else same.push(exchange)
  }
  return [...byRequest.values()].map((same) => {
    const [{ request }] = same
    return {
      matcher: {
        method: request.method,
        url: routeOf(request.url),
        where: (sent) => isSame(sent, request)
      },
      replies: same.map(({ response }) => ({
        status: response.status,
        headers: response.headers,
        body: toBytes(response)
      }))
    }
  })
}
