import { Buffer } from "node:buffer"
import { OutputBuffer } from "../../../src/http2/frames/OutputBuffer.js"
import type { HpackDecoderOptions } from "../../../src/http2/hpack/HpackDecoder.js"
import { HpackDecoder } from "../../../src/http2/hpack/HpackDecoder.js"
import type { HpackEncoder } from "../../../src/http2/hpack/HpackEncoder.js"
import type { ProtocolError } from "../../../src/http2/ProtocolError.js"

export type Fields = ReadonlyArray<readonly [name: string, value: string]>

export const latin1 = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1", start, end)

export const decoder = (options: Partial<HpackDecoderOptions> = {}): HpackDecoder =>
  new HpackDecoder({ maxListBytes: 65_536, maxDecodedBytes: 1 << 20, latin1, ...options })

/** The block of these fields, or undefined if the encoder refuses them. */
export const encode = (encoder: HpackEncoder, fields: Fields): Uint8Array | undefined => {
  const output = new OutputBuffer()
  return encoder.encode(output, fields.flat()) ? output.take() : undefined
}

export const decode = (decoder: HpackDecoder, block: Uint8Array): Fields | ProtocolError =>
  decoder.decode(block, 0, block.length) ?? decoder.fields.map(({ name, value }) => [name, value] as const)

export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"))

export const toHex = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString("hex")
