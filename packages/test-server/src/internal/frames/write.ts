import { encode as hpack } from "../hpack/codec.js"
import type { Http2Settings } from "../http2/options.js"
import { toBytes } from "../reply.js"
import { Flag, settingIds, Type } from "./registry.js"

/**
 * A frame to be sent. Nothing is checked: what makes no sense is sent just so.
 *
 * @since 0.1.0
 * @category models
 */
export interface Frame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Uint8Array

  /** The length written in the frame's head, if it is not that of the payload. */
  readonly length?: number | undefined
}

/**
 * Fields of a header block, pseudo fields first, written as they are.
 *
 * @since 0.1.0
 * @category models
 */
export type Fields = ReadonlyArray<readonly [name: string, value: string]>

export const make = (frame: Frame): Frame => frame

export const encode = (frame: Frame): Buffer => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(frame.length ?? frame.payload.length, 0, 3)
  head.writeUInt8(frame.type, 3)
  head.writeUInt8(frame.flags, 4)
  head.writeUInt32BE(frame.streamId >>> 0, 5)
  return Buffer.concat([head, frame.payload])
}

const flags = (...given: ReadonlyArray<readonly [boolean | undefined, number]>): number =>
  given.reduce((all, [on, flag]) => on === true ? all | flag : all, 0)

const uint32 = (...numbers: ReadonlyArray<number>): Buffer => {
  const bytes = Buffer.alloc(numbers.length * 4)
  numbers.forEach((n, index) => bytes.writeUInt32BE(n >>> 0, index * 4))
  return bytes
}

export const headerBlock = (fields: Fields | Uint8Array): Uint8Array =>
  fields instanceof Uint8Array ? fields : hpack(fields)

export const data = (
  streamId: number,
  content: string | Uint8Array,
  options: { readonly endStream?: boolean | undefined; readonly padding?: number | undefined } = {}
): Frame => {
  const { endStream, padding } = options
  const bytes = toBytes(content)
  return {
    type: Type.Data,
    flags: flags([endStream, Flag.endStream], [padding !== undefined, Flag.padded]),
    streamId,
    payload: padding === undefined ? bytes : Buffer.concat([Buffer.from([padding]), bytes, Buffer.alloc(padding)])
  }
}

export const headers = (
  streamId: number,
  fields: Fields | Uint8Array,
  options: { readonly endStream?: boolean | undefined; readonly endHeaders?: boolean | undefined } = {}
): Frame => ({
  type: Type.Headers,
  flags: flags([options.endStream, Flag.endStream], [options.endHeaders ?? true, Flag.endHeaders]),
  streamId,
  payload: headerBlock(fields)
})

export const continuation = (
  streamId: number,
  fields: Fields | Uint8Array,
  options: { readonly endHeaders?: boolean | undefined } = {}
): Frame => ({
  type: Type.Continuation,
  flags: flags([options.endHeaders ?? true, Flag.endHeaders]),
  streamId,
  payload: headerBlock(fields)
})

export const rstStream = (streamId: number, code = 0): Frame => ({
  type: Type.RstStream,
  flags: 0,
  streamId,
  payload: uint32(code)
})

export const settings = (given: Http2Settings | ReadonlyArray<readonly [number, number]> = {}): Frame => ({
  type: Type.Settings,
  flags: 0,
  streamId: 0,
  payload: Buffer.concat(
    settingPairs(given).map(([id, value]) => {
      const pair = Buffer.alloc(6)
      pair.writeUInt16BE(id, 0)
      pair.writeUInt32BE(value, 2)
      return pair
    })
  )
})

const settingPairs = (
  given: Http2Settings | ReadonlyArray<readonly [number, number]>
): ReadonlyArray<readonly [number, number]> =>
  isPairs(given)
    ? given
    : Object.entries(given).flatMap(([name, value]: [string, number | boolean | undefined]) =>
      value === undefined ? [] : [[settingIds[name as keyof Http2Settings], Number(value)] as const]
    )

const isPairs = (
  given: Http2Settings | ReadonlyArray<readonly [number, number]>
): given is ReadonlyArray<readonly [number, number]> => Array.isArray(given)

export const settingsAck: Frame = {
  type: Type.Settings,
  flags: Flag.ack,
  streamId: 0,
  payload: new Uint8Array(0)
}

export const pushPromise = (streamId: number, promisedId: number, fields: Fields | Uint8Array): Frame => ({
  type: Type.PushPromise,
  flags: Flag.endHeaders,
  streamId,
  payload: Buffer.concat([uint32(promisedId), headerBlock(fields)])
})

export const ping = (
  content: Uint8Array = new Uint8Array(8),
  options: { readonly ack?: boolean | undefined } = {}
): Frame => ({ type: Type.Ping, flags: flags([options.ack, Flag.ack]), streamId: 0, payload: content })

export const goAway = (
  options: {
    readonly lastStreamId?: number | undefined
    readonly code?: number | undefined
    readonly debugData?: string | Uint8Array | undefined
  } = {}
): Frame => ({
  type: Type.GoAway,
  flags: 0,
  streamId: 0,
  payload: Buffer.concat([
    uint32(options.lastStreamId ?? 2 ** 31 - 1, options.code ?? 0),
    toBytes(options.debugData ?? "")
  ])
})

export const windowUpdate = (streamId: number, increment: number): Frame => ({
  type: Type.WindowUpdate,
  flags: 0,
  streamId,
  payload: uint32(increment)
})
