import * as http from "node:http"
import type { ForwardOptions, Response } from "../Reply.js"
import type { Outlet } from "./outlet.js"
import { echoed } from "./requestBody.js"

type Fields = ReadonlyArray<readonly [string, string]>

// RFC 9110 section 7.6.1, and what only the proxy itself is meant to see (section 11.7).
const ofOneHop = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "te",
  "transfer-encoding",
  "upgrade"
])

const passedOn = (fields: Fields): Fields => {
  const named = fields.filter(([name]) => name.toLowerCase() === "connection").flatMap(([, value]) => value.split(","))
  const dropped = new Set([...ofOneHop, ...named.map((name) => name.trim().toLowerCase())])
  return fields.filter(([name]) => !name.startsWith(":") && !dropped.has(name.toLowerCase()))
}

/** What a gateway says when it does not get through (RFC 9110 section 15.6.3). */
export const badGateway = (to: { readonly host: string; readonly port: number }, code: string): Response => ({
  _tag: "Response",
  body: {
    _tag: "Bytes",
    bytes: Buffer.from(`${to.host}:${to.port} could not be reached (${code})\n`),
    contentType: "text/plain; charset=utf-8"
  },
  options: { status: 502 }
})

/** Sends the request on, and its response back, both as they come. What it gives back is the response when that fails. */
export const forward = async (options: ForwardOptions, out: Outlet): Promise<Response | undefined> => {
  const { lifetime, request } = out
  const url = new URL(request.target, `http://${request.header(":authority") ?? request.header("host") ?? "localhost"}`)
  const to = options.to ?? { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || 80) }
  const sent = http.request({
    ...to,
    method: request.method,
    path: `${url.pathname}${url.search}`,
    headers: headersOf(request.headers, url.host),
    setHost: false,
    agent: false
  })
  sent.on("error", () => {})
  sent.on("information", ({ rawHeaders, statusCode }) => out.informational(statusCode, pairs(rawHeaders)))
  const responded = lifetime.wait<http.IncomingMessage | string>((resume) => {
    sent.once("response", resume)
    sent.once("error", (error: NodeJS.ErrnoException) => resume(error.code ?? error.message))
    return () => sent.destroy()
  })
  const uploaded = upload(out, sent)
  uploaded.catch(() => sent.destroy())
  const received = await responded
  if (typeof received === "string") return badGateway(to, received)
  const hasBody = out.head(
    { status: received.statusCode, reason: received.statusMessage, headers: passedOn(pairs(received.rawHeaders)) },
    { length: undefined, contentType: undefined }
  )
  try {
    for await (const bytes of received) if (hasBody) await out.write(bytes as Uint8Array)
  } catch {
    // The far server broke off; so does this one, for what follows is not known.
    out.cut("end")
    return undefined
  } finally {
    if (lifetime.ended) sent.destroy()
  }
  out.finish(pairs(received.rawTrailers))
  return undefined
}

const upload = async (out: Outlet, sent: http.ClientRequest): Promise<void> => {
  for await (const bytes of echoed(out)) {
    if (sent.destroyed) return
    if (!sent.write(bytes)) {
      await out.lifetime.wait((resume) => {
        sent.once("drain", resume).once("close", resume)
        return () => {}
      })
    }
  }
  sent.end()
}

const headersOf = (fields: Fields, host: string): http.OutgoingHttpHeaders => {
  const headers = new Map<string, Array<string>>()
  for (const [name, value] of passedOn(fields)) headers.set(name, [...headers.get(name) ?? [], value])
  if (![...headers.keys()].some((name) => name.toLowerCase() === "host")) headers.set("host", [host])
  // Node takes no list for a field that there may be only one of.
  return Object.fromEntries([...headers].map(([name, values]) => [name, values.length === 1 ? values[0] : values]))
}

const pairs = (raw: ReadonlyArray<string>): Fields => {
  const fields: Array<readonly [string, string]> = []
  for (let n = 0; n + 1 < raw.length; n += 2) fields.push([raw[n], raw[n + 1]])
  return fields
}
