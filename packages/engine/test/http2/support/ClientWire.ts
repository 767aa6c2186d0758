import { HpackDecoder } from "../../../src/http2/hpack/HpackDecoder.js"

/** A frame that the client has written. */
export interface Written {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Uint8Array
  /** Of HEADERS. */
  readonly fields: ReadonlyArray<readonly [string, string]>
}

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

const uint32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] * 2 ** 24) + (bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3])

export const latin1 = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.subarray(start, end)).toString("latin1")

/** Reads what a client writes. It asserts the client's preface. */
export class ClientWire {
  readonly frames: Array<Written> = []
  private rest = new Uint8Array(0)
  private isPrefaced = false
  private readonly decoder = new HpackDecoder({ maxListBytes: 1e9, maxDecodedBytes: 1e9, latin1 })
  /** A header block that goes on. */
  private open: { readonly first: Written; block: Uint8Array } | undefined = undefined
  bytes = 0

  write(bytes: Uint8Array): void {
    this.bytes += bytes.length
    const joined = new Uint8Array(this.rest.length + bytes.length)
    joined.set(this.rest)
    joined.set(bytes, this.rest.length)
    let at = 0
    if (!this.isPrefaced) {
      if (latin1(joined, 0, preface.length) !== preface) throw new Error("no preface")
      this.isPrefaced = true
      at = preface.length
    }
    while (joined.length - at >= 9) {
      const length = joined[at] << 16 | joined[at + 1] << 8 | joined[at + 2]
      if (joined.length - at < 9 + length) break
      this.take(joined[at + 3], joined[at + 4], uint32(joined, at + 5), joined.slice(at + 9, at + 9 + length))
      at += 9 + length
    }
    this.rest = joined.slice(at)
  }

  private take(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    if (payload.length > 16_384) throw new Error("a frame larger than the server takes")
    if (type !== 1 && type !== 9) {
      if (this.open !== undefined) throw new Error("a frame within a header block")
      this.frames.push({ type, flags, streamId, payload, fields: [] })
      return
    }
    const block = this.open === undefined ? payload : Buffer.concat([this.open.block, payload])
    const first = this.open?.first ?? { type, flags, streamId, payload, fields: [] }
    this.open = { first, block }
    if ((flags & 4) === 0) return
    const error = this.decoder.decode(block, 0, block.length)
    if (error !== undefined) throw new Error(error.detail)
    this.open = undefined
    this.frames.push({ ...first, fields: this.decoder.fields.map((field) => [field.name, field.value] as const) })
  }
}

const names = [
  "DATA",
  "HEADERS",
  "PRIORITY",
  "RST_STREAM",
  "SETTINGS",
  "PUSH_PROMISE",
  "PING",
  "GOAWAY",
  "WINDOW_UPDATE"
]

/** As in `DATA 1 5 bytes END_STREAM`. */
export const show = (frame: Written): string => {
  const ended = (frame.type === 0 || frame.type === 1) && (frame.flags & 1) !== 0 ? " END" : ""
  const ack = (frame.type === 4 || frame.type === 6) && (frame.flags & 1) !== 0 ? " ACK" : ""
  const head = `${names[frame.type]} ${frame.streamId}`
  switch (frame.type) {
    case 0:
      return `${head} ${frame.payload.length}${ended}`
    case 3:
    case 8:
      return `${head} ${uint32(frame.payload, 0)}`
    case 7:
      return `${head} code ${uint32(frame.payload, 4)}`
    default:
      return `${head}${ended}${ack}`
  }
}
