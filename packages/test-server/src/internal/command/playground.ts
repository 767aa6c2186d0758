import { randomUUID } from "node:crypto"
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib"
import type { ReceivedRequest } from "../../ReceivedRequest.js"
import type { Reply } from "../../Reply.js"
import type { Handler, Replies } from "../../Script.js"
import * as replies from "../reply.js"

const help = `This server responds:
  /get /post /put /patch /delete  what was sent, as JSON, to that method; /anything and below it to any
  /headers /user-agent            the same, of the headers
  /echo                           the request's body, while it is being sent
  /status/503 /status/200,503     that status, or one of them at random
  /bytes/1000000                  that many bytes; /stream-bytes/1000000 in chunks; /range/1000 in parts, if asked
  /html /json /xml                a page of that kind; /base64/aGVsbG8= and /uuid
  /gzip /deflate /brotli          JSON that was coded so
  /redirect/3                     that many redirects; /redirect-to?url=/get&status=307 one of yours
  /cookies /cookies/set?a=b       the cookies that came; sets some
  /basic-auth/ann/secret /bearer  wants credentials
  /etag/abc                       304 for who has it already
  /response-headers?x-a=1         those headers
  /delay/500                      after so many milliseconds
  /drip/10 /stream/10 /sse/10     that many pieces, lines of JSON, events, ten a second
  /flaky/2                        503 twice, then 200, and so on; /retry-after/3 says when
  /never                          nothing, ever
  /close                          a body, and closes the connection
  /abrupt                         half a body, and breaks the connection off
`

const partOf = ({ path }: ReceivedRequest, n: number): string => {
  try {
    return decodeURIComponent(path.split("/")[n] ?? "")
  } catch {
    return ""
  }
}

const queryOf = ({ path, target }: ReceivedRequest): URLSearchParams => new URLSearchParams(target.slice(path.length))

const lines = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

const json = (value: unknown): Reply => replies.text(lines(value), { headers: { "content-type": "application/json" } })

/** A name that occurs once has its value, one that occurs more often all of them. */
const fieldsOf = (pairs: Iterable<readonly [string, string]>): Record<string, string | ReadonlyArray<string>> => {
  const all = new Map<string, ReadonlyArray<string>>()
  for (const [name, value] of pairs) all.set(name, [...all.get(name) ?? [], value])
  return Object.fromEntries([...all].map(([name, values]) => [name, values.length === 1 ? values[0] : values]))
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const whatWasSent = (request: ReceivedRequest) => {
  const { bodyLength, connection, headers, index, method, protocol, target, text } = request
  const isForm = request.header("content-type")?.startsWith("application/x-www-form-urlencoded") === true
  return {
    method,
    target,
    args: fieldsOf(queryOf(request)),
    headers: fieldsOf(headers),
    body: text,
    bodyLength,
    json: parsed(text),
    form: isForm ? fieldsOf(new URLSearchParams(text)) : undefined,
    protocol,
    connection,
    indexOnConnection: index
  }
}

const sent: Handler = (request) => json(whatWasSent(request))

const coded = (coding: string, encode: (text: string) => Uint8Array): Handler => (request) =>
  replies.bytes(encode(lines(whatWasSent(request))), {
    headers: { "content-type": "application/json", "content-encoding": coding, vary: "accept-encoding" }
  })

const redirect = (location: string, status = 302) => replies.empty({ status, headers: { location } })

const wantsCredentials = (challenge: string) =>
  replies.text("Who are you?\n", { status: 401, headers: { "www-authenticate": challenge } })

const basicAuth: Handler = (request) => {
  const credentials = `${partOf(request, 2)}:${partOf(request, 3)}`
  const expected = `Basic ${Buffer.from(credentials).toString("base64")}`
  return request.header("authorization") === expected
    ? json({ authenticated: true, user: partOf(request, 2) })
    : wantsCredentials("Basic realm=\"test\"")
}

const bearer: Handler = (request) => {
  const [, token] = /^bearer +(\S+)$/i.exec(request.header("authorization") ?? "") ?? []
  return token === undefined ? wantsCredentials("Bearer") : json({ authenticated: true, token })
}

const cookiesOf = (request: ReceivedRequest) =>
  fieldsOf(
    (request.header("cookie") ?? "").split(/; */).filter((pair) => pair !== "").map((pair): [string, string] => {
      const [, name = pair, value = ""] = /^([^=]*)=(.*)$/s.exec(pair) ?? []
      return [name, value]
    })
  )

/** Weakly compared, as for a GET (RFC 9110 §13.1.2). */
const etag: Handler = (request) => {
  const tag = `"${encodeURIComponent(partOf(request, 2))}"`
  const known = (request.header("if-none-match") ?? "").split(/ *, */).map((one) => one.replace(/^W\//, ""))
  return known.includes(tag) || known.includes("*")
    ? replies.empty({ status: 304, headers: { etag: tag } })
    : replies.text(`This is ${tag}.\n`, { headers: { etag: tag } })
}

/** One range of octets (RFC 9110 §14.1.2); anything else gets all of them, as a server may. */
const range = (size: number, request: ReceivedRequest): Reply => {
  const bytes = Uint8Array.from({ length: size }, (_, n) => n % 251)
  const accept = { "accept-ranges": "bytes", etag: `"range-${size}"` }
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(request.header("range") ?? "") ?? []
  if (first === undefined || last === undefined || first + last === "") return replies.bytes(bytes, { headers: accept })
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first)
  const to = first === "" || last === "" ? size : Math.min(size, Number(last) + 1)
  return from >= to
    ? replies.empty({ status: 416, headers: { ...accept, "content-range": `bytes */${size}` } })
    : replies.bytes(bytes.subarray(from, to), {
      status: 206,
      headers: { ...accept, "content-range": `bytes ${from}-${to - 1}/${size}` }
    })
}

/** What can be sent as a header: what a client asks for must not become two of them. */
const isField = (value: string): boolean => /^[\t\x20-\x7e\xa0-\xff]*$/.test(value)

const redirectTo: Handler = (request) => {
  const query = queryOf(request)
  const status = Number(query.get("status") ?? query.get("status_code") ?? 302)
  const url = query.get("url")
  return url === null || !isField(url) || !(status >= 300 && status <= 399)
    ? replies.text("Say where to: /redirect-to?url=/get&status=307\n", { status: 400 })
    : redirect(url, status)
}

const oneOf = (request: ReceivedRequest): Reply => {
  const statuses = partOf(request, 2).split(",").map(Number)
  const status = statuses[Math.floor(Math.random() * statuses.length)]
  return statuses.every((one) => Number.isInteger(one) && one >= 200 && one <= 999)
    ? replies.text(`${status}\n`, { status })
    : unknownNumber
}

const tenASecond = { delayBetweenChunks: 100 }

/** What the command serves without a script: enough to try what a client can do, its limits and its timeouts. */
export const playground: Readonly<Record<string, Replies>> = {
  "/": replies.text(help),
  "GET /get": sent,
  "HEAD /get": sent,
  "POST /post": sent,
  "PUT /put": sent,
  "PATCH /patch": sent,
  "DELETE /delete": sent,
  "/anything": sent,
  "/anything/*": sent,
  "/request": sent,
  "/headers": (request) => json({ headers: fieldsOf(request.headers) }),
  "/user-agent": (request) => json({ "user-agent": request.header("user-agent") ?? null }),
  "/status/:code": oneOf,
  "/bytes/:size": numbered((size) => replies.size(size)),
  "/stream-bytes/:size": numbered((size) => replies.size(size, { framing: "chunked" })),
  "/range/:size": numbered((size, request) => size > 100_000_000 ? unknownNumber : range(size, request)),
  "/html": replies.text("<!doctype html><title>Test</title><h1>Hello</h1>\n", {
    headers: { "content-type": "text/html; charset=utf-8" }
  }),
  "/json": json({ greeting: "hello", numbers: [1, 2, 3], nested: { empty: null } }),
  "/xml": replies.text("<?xml version=\"1.0\"?><greeting>hello</greeting>\n", {
    headers: { "content-type": "application/xml" }
  }),
  "/base64/:text": (request) => replies.bytes(Buffer.from(partOf(request, 2), "base64")),
  "/uuid": () => json({ uuid: randomUUID() }),
  "/gzip": coded("gzip", gzipSync),
  "/deflate": coded("deflate", deflateSync),
  "/brotli": coded("br", brotliCompressSync),
  "/redirect/:count": numbered((count) => redirect(count > 1 ? `/redirect/${count - 1}` : "/get")),
  "/redirect-to": redirectTo,
  "/cookies": (request) => json({ cookies: cookiesOf(request) }),
  "/cookies/set": (request) => {
    const set = [...queryOf(request)].map(([name, value]) =>
      `${encodeURIComponent(name)}=${encodeURIComponent(value)}; Path=/`
    )
    return replies.empty({ status: 302, headers: { location: "/cookies", "set-cookie": set } })
  },
  "/basic-auth/:user/:password": basicAuth,
  "/bearer": bearer,
  "/etag/:tag": etag,
  "/response-headers": (request) => {
    const given = [...queryOf(request)]
    if (!given.every(([name, value]) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) && isField(value))) {
      return replies.text("These are no headers.\n", { status: 400 })
    }
    return replies.text(lines(fieldsOf(given)), { headers: [...given, ["content-type", "application/json"]] })
  },
  "/delay/:millis": numbered((millis) => replies.text(`after ${millis} ms\n`, { delayBeforeHead: millis })),
  "/drip/:count": numbered((count) => replies.chunks(pieces(count, (n) => `${n} of ${count}\n`), tenASecond)),
  "/stream/:count": numbered((count) =>
    replies.chunks(pieces(count, (n) => `${JSON.stringify({ id: n })}\n`), {
      ...tenASecond,
      headers: { "content-type": "application/x-ndjson" }
    })
  ),
  "/sse/:count": numbered((count) =>
    replies.chunks(pieces(count, (n) => `id: ${n}\ndata: ${n} of ${count}\n\n`), {
      ...tenASecond,
      headers: { "content-type": "text/event-stream", "cache-control": "no-store" }
    })
  ),
  "/flaky/:count": (request, { count }) =>
    numbered((failures) =>
      count % (failures + 1) < failures ? replies.text("Not now.\n", { status: 503 }) : replies.text("At last.\n")
    )(request, { count }),
  "/retry-after/:seconds": numbered((seconds) =>
    replies.text("Later.\n", { status: 503, headers: { "retry-after": String(seconds) } })
  ),
  "/echo": replies.echo(),
  "/never": replies.never,
  "/close": replies.text("This is the last response on this connection.\n", { connection: "close" }),
  "/abrupt": replies.size(1_000_000, { abrupt: { afterBytes: 500_000 } })
}

const unknownNumber = replies.text("There has to be a number at the end of the path.\n", { status: 404 })

function numbered(reply: (n: number, request: ReceivedRequest) => Reply): Handler {
  return (request) => {
    const digits = partOf(request, 2)
    return /^\d{1,15}$/.test(digits) ? reply(Number(digits), request) : unknownNumber
  }
}

function* pieces(count: number, piece: (n: number) => string): Generator<string> {
  for (let n = 1; n <= count; n++) yield piece(n)
}
