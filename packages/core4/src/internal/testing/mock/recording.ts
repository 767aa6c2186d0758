import { isHarmless } from "@sluice/engine/client"
import { isSecret } from "@sluice/engine/routes"
import * as Schema from "effect/Schema"
import { on } from "./expectation.js"
import type * as MockHttp from "./models.js"
import { passed } from "./passThrough.js"

const redacted = "REDACTED"

const Headers = Schema.Record(Schema.String, Schema.String)

export const Recording: Schema.Codec<MockHttp.Recording> = Schema.Struct({
  version: Schema.Literal(1),
  exchanges: Schema.Array(Schema.Struct({
    request: Schema.Struct({
      method: Schema.String,
      url: Schema.String,
      headers: Headers,
      body: Schema.String
    }),
    response: Schema.Struct({
      status: Schema.Int,
      headers: Schema.Record(
        Schema.String,
        Schema.Union([Schema.String, Schema.Array(Schema.String)])
      ),
      body: Schema.String,
      encoding: Schema.Literals(["utf-8", "base64"])
    })
  }))
})

type Recorded = MockHttp.Recording["exchanges"][number]

export const record = (history: ReadonlyArray<MockHttp.Exchange>): MockHttp.Recording => ({
  version: 1,
  exchanges: history.flatMap(({ outcome, request }) =>
    outcome._tag === "Replied" && passed.has(outcome.reply) ? [toRecorded(request, outcome.reply)] : []
  )
})

const toRecorded = (request: MockHttp.Request, { body, headers = {}, status = 200 }: MockHttp.Reply): Recorded => ({
  request: {
    method: request.method,
    url: redactUrl(request.url),
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, isHarmless(name) ? value : redacted])
    ),
    body: redactText(request.body)
  },
  response: {
    status,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, redactHeader(name, value)])),
    ...toText(body as Uint8Array)
  }
})

const redactHeader = (name: string, value: string | ReadonlyArray<string>) => {
  if (isSecret(name)) return redacted
  // A signed URL is a secret as well.
  return name === "location" && typeof value === "string" ? redactUrl(value) : value
}

const redactUrl = (url: string): string => {
  const at = url.indexOf("?")
  return at < 0 ? url : `${url.slice(0, at)}?${redactPairs(url.slice(at + 1))}`
}

const redactPairs = (text: string): string =>
  text.split("&").map((pair) => {
    const [name] = pair.split("=", 1)
    return isSecret(decodeURIComponent(name)) ? `${name}=${redacted}` : pair
  }).join("&")

const redactText = (text: string): string => {
  if (/^\s*[[{]/.test(text)) {
    try {
      return JSON.stringify(redactJson(JSON.parse(text)))
    } catch {
      return text
    }
  }
  return /^[^\s=&]+=[^\s=]*(&[^\s=&]+=[^\s=&]*)*$/.test(text) ? redactPairs(text) : text
}

const redactJson = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(redactJson)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, below]) => [
      name,
      isSecret(name) && (typeof below === "string" || typeof below === "number") ? redacted : redactJson(below)
    ])
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

/** What was redacted may be anything; a URL without a query has none. */
const routeOf = (url: string): string => url.includes("?") ? url.replaceAll(`=${redacted}`, "=*") : `${url}?`

export const replay = ({ exchanges }: MockHttp.Recording): ReadonlyArray<MockHttp.Expectation> => {
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
    return on(
      { method: request.method, url: routeOf(request.url), where: ({ body }) => redactText(body) === request.body },
      ...same.map(({ response }) => ({
        status: response.status,
        headers: response.headers,
        body: toBytes(response)
      })) as [MockHttp.Reply]
    ) as MockHttp.Expectation
  })
}
