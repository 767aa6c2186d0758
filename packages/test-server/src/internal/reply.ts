import { dual } from "effect/Function"
import type {
  Body,
  Breaking,
  Chunk,
  ForwardOptions,
  Headers,
  Options,
  RawOptions,
  Reply,
  TunnelOptions
} from "../Reply.js"

const encoder = new TextEncoder()

const response = (body: Body, options: Options = {}): Reply => ({ _tag: "Response", body, options })

export const empty = (options?: Options): Reply => response({ _tag: "Empty" }, options)

export const text = (body: string, options?: Options): Reply =>
  response({ _tag: "Bytes", bytes: encoder.encode(body), contentType: "text/plain; charset=utf-8" }, options)

export const json = (body: unknown, options?: Options): Reply =>
  response({ _tag: "Bytes", bytes: encoder.encode(JSON.stringify(body)), contentType: "application/json" }, options)

export const bytes = (body: Uint8Array, options?: Options): Reply =>
  response({ _tag: "Bytes", bytes: body, contentType: undefined }, options)

export const chunks = (pieces: Iterable<Chunk>, options?: Options): Reply =>
  response({ _tag: "Chunks", pieces }, options)

export const size = (length: number, options?: Options): Reply => response({ _tag: "Generated", size: length }, options)

export const echo = (options?: Options): Reply => response({ _tag: "Echo" }, options)

export const raw = (pieces: string | Uint8Array | Iterable<Chunk>, options: RawOptions = {}): Reply => ({
  _tag: "Raw",
  pieces: typeof pieces === "string" || pieces instanceof Uint8Array ? [pieces] : pieces,
  options
})

export const never: Reply = { _tag: "Never" }

export const disconnect = (how: Breaking = "end"): Reply => ({ _tag: "Disconnect", how })

export const tunnel = (options: TunnelOptions = {}): Reply => ({ _tag: "Tunnel", options })

export const forward = (options: ForwardOptions = {}): Reply => ({ _tag: "Forward", options })

export const set: {
  (options: Options): (self: Reply) => Reply
  (self: Reply, options: Options): Reply
} = dual(
  2,
  (self: Reply, options: Options): Reply =>
    self._tag === "Response" ? response(self.body, { ...self.options, ...options }) : self
)

/** Text of a piece of a body is UTF-8. */
export const toBytes = (piece: string | Uint8Array): Uint8Array =>
  typeof piece === "string" ? encoder.encode(piece) : piece

export const headerList = (headers: Headers | undefined): Array<readonly [string, string]> => {
  if (headers === undefined) return []
  if (isPairs(headers)) return [...headers]
  return Object.entries(headers).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as const] : value.map((one) => [name, one] as const)
  )
}

const isPairs = (headers: Headers): headers is ReadonlyArray<readonly [string, string]> => Array.isArray(headers)

const period = 251
const block = Uint8Array.from({ length: period * 256 }, (_, n) => n % period)

/** The bytes of `Reply.size`, as views of one shared block. */
export function* generated(length: number): Generator<Uint8Array> {
  let left = length
  while (left >= block.length) {
    yield block
    left -= block.length
  }
  if (left > 0) yield block.subarray(0, left)
}
