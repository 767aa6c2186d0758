import { STATUS_CODES } from "node:http"
import type { Options } from "../../Reply.js"
import type { BodyShape } from "../outlet.js"
import { headerList } from "../reply.js"
import type { RequestHead } from "./requestReader.js"

type Fields = ReadonlyArray<readonly [string, string]>

export interface ResponseHead {
  readonly text: string
  readonly hasBody: boolean
  readonly chunked: boolean
  readonly close: boolean
}

export const responseHead = (
  options: Options,
  body: BodyShape,
  request: RequestHead,
  lastOfConnection: boolean
): ResponseHead => {
  const status = options.status ?? 200
  const fields = headerList(options.headers)
  const given = new Map(fields.map(([name, value]) => [name.toLowerCase(), value.toLowerCase()]))
  const version = options.version ?? "1.1"
  const noBody = request.method === "HEAD" || status === 204 || status === 304

  if (body.contentType !== undefined && !given.has("content-type")) fields.push(["content-type", body.contentType])

  let chunked = given.get("transfer-encoding")?.includes("chunked") === true
  let untilClose = false
  if (!given.has("content-length") && !given.has("transfer-encoding") && status !== 204 && status !== 304) {
    const framing = options.framing ?? defaultFraming(options, body, request)
    if (framing === "chunked") fields.push(["transfer-encoding", "chunked"])
    else if (framing === "length") fields.push(["content-length", String(body.length ?? 0)])
    chunked = framing === "chunked"
    untilClose = framing === "close" && !noBody
  }

  const said = given.get("connection")
  const keepsOld = said?.includes("keep-alive") === true || options.keepAliveHint !== undefined
  const announced = options.connection === "close" || said?.includes("close") === true || lastOfConnection ||
    !request.keepAlive
  const close = announced || options.close === true || untilClose || (version === "1.0" && !keepsOld)
  if (said === undefined) {
    if (announced) fields.push(["connection", "close"])
    else if ((request.version === "1.0" || version === "1.0") && !close) fields.push(["connection", "keep-alive"])
  }
  if (options.keepAliveHint !== undefined && !given.has("keep-alive")) {
    const { max, timeout } = options.keepAliveHint
    const hint = [
      ...(timeout === undefined ? [] : [`timeout=${timeout}`]),
      ...(max === undefined ? [] : [`max=${max}`])
    ]
    fields.push(["keep-alive", hint.join(", ")])
  }
  return { text: writeHead(version, status, options.reason, fields), hasBody: !noBody, chunked, close }
}

const defaultFraming = (options: Options, body: BodyShape, request: RequestHead): "length" | "chunked" | "close" => {
  const old = request.version === "1.0" || options.version === "1.0"
  if (options.trailers !== undefined && !old) return "chunked"
  if (body.length !== undefined) return "length"
  return old ? "close" : "chunked"
}

export const writeHead = (version: string, status: number, reason: string | undefined, fields: Fields): string => {
  let text = `HTTP/${version} ${status} ${reason ?? STATUS_CODES[status] ?? ""}\r\n`
  for (const [name, value] of fields) text += `${name}: ${value}\r\n`
  return text + "\r\n"
}
