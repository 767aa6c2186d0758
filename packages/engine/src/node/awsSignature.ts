import { createHash, createHmac } from "node:crypto"
import { percentDecode } from "../percentDecode.js"
import type { SignedRequest } from "./SignedRequest.js"

export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

export interface AwsScope {
  readonly region: string
  /** As in `s3` or `execute-api`. */
  readonly service: string
}

/**
 * The URL as it is signed: a plus sign in a query is a space for who wrote it and for AWS, but not for who signs what is
 * written. It is sent as what it means, and signed as that. Undefined where nothing has to change.
 */
export const unambiguous = (url: URL): URL | undefined => {
  if (!url.search.includes("+")) return undefined
  const changed = new URL(url)
  changed.search = url.search.replace(/\+/g, "%20")
  return changed
}

/**
 * The header fields that sign a request at this time (AWS Signature Version 4), over method, path, query, host, `x-amz-*`,
 * `content-type` and the body. `headers` are those that it has.
 */
export const awsSignature = (
  { body, method, url }: SignedRequest,
  headers: Readonly<Record<string, string>>,
  keys: AwsKeys,
  { region, service }: AwsScope,
  now: Date
): Readonly<Record<string, string>> => {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, "")
  const payload = body === undefined ? unsigned : sha256(body)
  const added: Record<string, string> = { "x-amz-date": time }
  if (service === "s3" || payload === unsigned) added["x-amz-content-sha256"] = payload
  if (keys.sessionToken !== undefined) added["x-amz-security-token"] = keys.sessionToken
  const signed: Record<string, string> = { ...headers, ...added, host: headers["host"] ?? url.host }
  const names = Object.keys(signed).filter((name) =>
    name === "host" || name === "content-type" || name.startsWith("x-amz-")
  ).sort()
  const canonical = [
    method,
    // Its segments are encoded once more, but for S3, whose keys may hold anything.
    // Elsewhere an empty segment counts for nothing.
    service === "s3" ? encodePath(decodePath(url.pathname)) : encodePath(url.pathname.replace(/\/{2,}/g, "/")),
    query(url),
    ...names.map((name) => `${name}:${signed[name].trim().replace(/ +/g, " ")}`),
    "",
    names.join(";"),
    payload
  ].join("\n")
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`
  const key = [region, service, "aws4_request"].reduce(
    hmac,
    hmac(`AWS4${keys.secretAccessKey}`, time.slice(0, 8))
  )
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString("hex")
  return {
    ...added,
    authorization: `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, ` +
      `SignedHeaders=${names.join(";")}, Signature=${signature}`
  }
}

const unsigned = "UNSIGNED-PAYLOAD"

const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex")

const hmac = (key: string | Uint8Array, data: string): Buffer => createHmac("sha256", key).update(data).digest()

/** All but the unreserved characters of RFC 3986. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

const encodePath = (path: string): string => path.split("/").map(encode).join("/")

const decodePath = (path: string): string => path.split("/").map(percentDecode).join("/")

/** By encoded name, and those of the same name by encoded value. */
const query = ({ search }: URL): string =>
  search.slice(1).split("&").filter((pair) => pair !== "").map((pair) => {
    const equals = pair.indexOf("=")
    const name = equals < 0 ? pair : pair.slice(0, equals)
    return [encode(percentDecode(name)), equals < 0 ? "" : encode(percentDecode(pair.slice(equals + 1)))] as const
  }).sort(([a, x], [b, y]) => a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0)
    .map(([name, value]) => `${name}=${value}`).join("&")
