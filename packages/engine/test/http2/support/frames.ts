/** Frames as a server writes them, made by hand: nothing here is shared with the code under test. */
const frame = (
  type: number,
  flags: number,
  streamId: number,
  payload: ReadonlyArray<number> | Uint8Array
): Uint8Array => {
  const bytes = new Uint8Array(9 + payload.length)
  bytes.set([payload.length >>> 16, payload.length >>> 8, payload.length, type, flags])
  bytes.set(uint32(streamId), 5)
  bytes.set(payload, 9)
  return bytes
}

const uint32 = (value: number): ReadonlyArray<number> =>
  [value >>> 24, value >>> 16, value >>> 8, value].map((n) => n & 255)

const latin1 = (text: string): ReadonlyArray<number> => Array.from(text, (character) => character.charCodeAt(0))

const length = (n: number): ReadonlyArray<number> => {
  if (n < 127) return [n]
  const octets = [127]
  let rest = n - 127
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push(rest % 128 + 128)
  return [...octets, rest]
}

export type Fields = ReadonlyArray<readonly [string, string]>

/** Literals without indexing and without Huffman code: the least that HPACK can do. */
export const block = (fields: Fields): Uint8Array =>
  Uint8Array.from(
    fields.flatMap((
      [name, value]
    ) => [0, ...length(name.length), ...latin1(name), ...length(value.length), ...latin1(value)])
  )

interface End {
  readonly end?: boolean
}

const endStream = ({ end = false }: End = {}): number => end ? 1 : 0

export const raw = frame

export const headers = (streamId: number, fields: Fields, options?: End): Uint8Array =>
  frame(1, 4 | endStream(options), streamId, block(fields))

/** HEADERS and CONTINUATIONs of so many bytes each. */
export const fragments = (streamId: number, fields: Fields, size: number, options?: End): Uint8Array => {
  const whole = block(fields)
  const frames: Array<Uint8Array> = []
  for (let at = 0; at < whole.length; at += size) {
    const isLast = at + size >= whole.length
    const flags = (isLast ? 4 : 0) | (at === 0 ? endStream(options) : 0)
    frames.push(frame(at === 0 ? 1 : 9, flags, streamId, whole.subarray(at, at + size)))
  }
  return concat(frames)
}

export const data = (
  streamId: number,
  content: string | Uint8Array,
  options: End & { readonly padding?: number } = {}
): Uint8Array => {
  const bytes = typeof content === "string" ? Uint8Array.from(latin1(content)) : content
  if (options.padding === undefined) return frame(0, endStream(options), streamId, bytes)
  return frame(0, 8 | endStream(options), streamId, [
    options.padding,
    ...bytes,
    ...new Array<number>(options.padding).fill(0)
  ])
}

export const rst = (streamId: number, code: number): Uint8Array => frame(3, 0, streamId, uint32(code))

export const settings = (...entries: ReadonlyArray<readonly [number, number]>): Uint8Array =>
  frame(4, 0, 0, entries.flatMap(([id, value]) => [id >>> 8, id & 255, ...uint32(value)]))

export const settingsAck = frame(4, 1, 0, [])

export const ping = (high: number, low: number, ack = false): Uint8Array =>
  frame(6, ack ? 1 : 0, 0, [...uint32(high), ...uint32(low)])

export const goAway = (lastStreamId: number, code: number, debug = ""): Uint8Array =>
  frame(7, 0, 0, [...uint32(lastStreamId), ...uint32(code), ...latin1(debug)])

export const windowUpdate = (streamId: number, increment: number): Uint8Array =>
  frame(8, 0, streamId, uint32(increment))

export const concat = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/** A whole response. */
export const response = (streamId: number, text = "ok", fields: Fields = []): Uint8Array =>
  concat([headers(streamId, [[":status", "200"], ...fields]), data(streamId, text, { end: true })])
