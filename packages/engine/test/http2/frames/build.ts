import { Buffer } from "node:buffer"

/** A frame as a server may send it, right or wrong. */
export const frame = (type: number, flags: number, streamId: number, payload: Uint8Array | string = ""): Uint8Array => {
  const content = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload
  const head = Buffer.alloc(9)
  head.writeUIntBE(content.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(streamId, 5)
  return Buffer.concat([head, content])
}

export const uint32 = (...values: ReadonlyArray<number>): Uint8Array => {
  const bytes = Buffer.alloc(4 * values.length)
  values.forEach((value, i) => bytes.writeUInt32BE(value, 4 * i))
  return bytes
}

export const join = (...chunks: ReadonlyArray<Uint8Array>): Uint8Array => Buffer.concat(chunks)

/** The connection preface of a server. */
export const settings = frame(4, 0, 0)
