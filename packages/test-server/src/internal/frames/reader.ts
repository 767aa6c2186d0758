import { Decoder } from "../hpack/codec.js"
import { type Judge, ProtocolError, type Raw } from "./judge.js"
import { Flag, preface, Type } from "./registry.js"
import type { Fields } from "./write.js"

/**
 * A frame that came from the client, parsed. A header block in several frames comes as one `Headers`.
 *
 * @since 0.1.0
 * @category models
 */
export type ReceivedFrame =
  & { readonly type: number; readonly flags: number; readonly streamId: number; readonly payload: Uint8Array }
  & (
    | { readonly _tag: "Data"; readonly data: Uint8Array; readonly endStream: boolean }
    | { readonly _tag: "Headers"; readonly fields: Fields; readonly endStream: boolean; readonly frames: number }
    | { readonly _tag: "Priority" }
    | { readonly _tag: "RstStream"; readonly code: number }
    | {
      readonly _tag: "Settings"
      readonly ack: boolean
      readonly settings: ReadonlyArray<readonly [identifier: number, value: number]>
    }
    | { readonly _tag: "Ping"; readonly ack: boolean; readonly data: Uint8Array }
    | { readonly _tag: "GoAway"; readonly lastStreamId: number; readonly code: number; readonly debugData: Uint8Array }
    | { readonly _tag: "WindowUpdate"; readonly increment: number }
    | { readonly _tag: "Unknown" }
  )

/** Splits the bytes of a client into frames. Throws where they can't be understood. */
export class FrameReader {
  private pending = Buffer.alloc(0)
  private prefaceSeen = false
  private readonly hpack = new Decoder()
  private block: { readonly first: Raw; readonly parts: Array<Uint8Array> } | undefined

  private readonly judge: Judge | undefined

  constructor(private readonly onFrame: (frame: ReceivedFrame) => void, judge?: Judge) {
    this.judge = judge
  }

  push(bytes: Uint8Array): void {
    this.pending = Buffer.concat([this.pending, bytes])
    if (!this.prefaceSeen && !this.readPreface()) return
    while (this.pending.length >= 9) {
      const length = this.pending.readUIntBE(0, 3)
      this.judge?.length(this.pending[3], length)
      if (this.pending.length < 9 + length) return
      const raw = {
        type: this.pending[3],
        flags: this.pending[4],
        streamId: this.pending.readUInt32BE(5) & 0x7fffffff,
        payload: this.pending.subarray(9, 9 + length)
      }
      this.pending = this.pending.subarray(9 + length)
      this.read(raw)
    }
  }

  private readPreface(): boolean {
    const start = this.pending.subarray(0, preface.length)
    if (!start.equals(preface.subarray(0, start.length))) {
      throw new ProtocolError(
        `the first bytes are not the preface of HTTP/2: ${JSON.stringify(start.toString("latin1"))}`,
        "3.4"
      )
    }
    if (start.length < preface.length) return false
    this.pending = this.pending.subarray(preface.length)
    this.prefaceSeen = true
    return true
  }

  private read(raw: Raw): void {
    this.judge?.frame(raw)
    const { flags, payload } = raw
    switch (raw.type) {
      case Type.Data:
        return this.onFrame({ ...raw, _tag: "Data", data: unpadded(raw), endStream: (flags & Flag.endStream) !== 0 })
      case Type.Headers:
        this.block = { first: raw, parts: [withoutPriority(raw)] }
        return this.endOfBlock(raw)
      case Type.Continuation:
        this.block?.parts.push(payload)
        return this.endOfBlock(raw)
      case Type.Priority:
        return this.onFrame({ ...raw, _tag: "Priority" })
      case Type.RstStream:
        return this.onFrame({ ...raw, _tag: "RstStream", code: payload.readUInt32BE(0) })
      case Type.Settings:
        return this.onFrame({ ...raw, _tag: "Settings", ack: (flags & Flag.ack) !== 0, settings: settings(payload) })
      case Type.Ping:
        return this.onFrame({ ...raw, _tag: "Ping", ack: (flags & Flag.ack) !== 0, data: payload })
      case Type.GoAway:
        return this.onFrame({
          ...raw,
          _tag: "GoAway",
          lastStreamId: payload.readUInt32BE(0) & 0x7fffffff,
          code: payload.readUInt32BE(4),
          debugData: payload.subarray(8)
        })
      case Type.WindowUpdate:
        return this.onFrame({ ...raw, _tag: "WindowUpdate", increment: payload.readUInt32BE(0) & 0x7fffffff })
      default:
        return this.onFrame({ ...raw, _tag: "Unknown" })
    }
  }

  private endOfBlock(raw: Raw): void {
    if ((raw.flags & Flag.endHeaders) === 0) return
    if (this.block === undefined) return
    const { first, parts } = this.block
    this.block = undefined
    const fields = this.decode(Buffer.concat(parts))
    const endStream = (first.flags & Flag.endStream) !== 0
    this.onFrame({ ...first, _tag: "Headers", fields, endStream, frames: parts.length })
  }

  private decode(block: Buffer): Fields {
    try {
      return this.hpack.decode(block)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new ProtocolError(`a header block that can't be decoded: ${reason}`, "4.3", "COMPRESSION_ERROR")
    }
  }
}

const unpadded = ({ flags, payload }: Raw): Buffer =>
  (flags & Flag.padded) === 0 ? payload : payload.subarray(1, payload.length - payload[0])

const withoutPriority = (raw: Raw): Buffer => unpadded(raw).subarray((raw.flags & Flag.priority) === 0 ? 0 : 5)

const settings = (payload: Buffer): ReadonlyArray<readonly [number, number]> => {
  const pairs: Array<readonly [number, number]> = []
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    pairs.push([payload.readUInt16BE(at), payload.readUInt32BE(at + 2)])
  }
  return pairs
}
