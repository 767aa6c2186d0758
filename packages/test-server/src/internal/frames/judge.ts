import { Flag, Type } from "./registry.js"

/** A frame as it came, before it is parsed. */
export interface Raw {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
}

/** What a client did that RFC 9113 does not allow, with the section and the error code that it asks for. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError"

  constructor(what: string, section: string, code = "PROTOCOL_ERROR") {
    super(`${what} (RFC 9113 section ${section}: ${code})`)
  }
}

const names = Object.fromEntries(Object.entries(Type).map(([name, type]) => [type, name]))

export const nameOf = (type: number): string => names[type] ?? `a frame of type ${type}`

const ofStreams = new Set<number>([Type.Data, Type.Headers, Type.Priority, Type.RstStream, Type.Continuation])
const ofConnections = new Set<number>([Type.Settings, Type.Ping, Type.GoAway])
const fixedLengths = new Map<number, number>([[Type.Priority, 5], [Type.RstStream, 4], [Type.Ping, 8], [
  Type.WindowUpdate,
  4
]])

/** Judges a client's frames by what RFC 9113 says of each, and of the order in which they come. */
export class Judge {
  private first = true
  private lastStreamId = 0
  private readonly ended = new Set<number>()
  private inBlockOf: number | undefined

  constructor(private readonly maxFrameSize: number) {}

  /** As soon as the frame's length is known. */
  length(type: number, length: number): void {
    if (length > this.maxFrameSize) {
      throw new ProtocolError(
        `${nameOf(type)} of ${length} bytes, above ${this.maxFrameSize}`,
        "4.2",
        "FRAME_SIZE_ERROR"
      )
    }
  }

  frame(raw: Raw): void {
    const { flags, payload, streamId, type } = raw
    const name = nameOf(type)
    if (this.first && type !== Type.Settings) throw new ProtocolError(`the first frame is ${name}`, "3.4")
    this.first = false
    if (this.inBlockOf !== undefined && (type !== Type.Continuation || streamId !== this.inBlockOf)) {
      throw new ProtocolError(`${name} inside of the header block of stream ${this.inBlockOf}`, "4.3")
    }
    if (this.inBlockOf === undefined && type === Type.Continuation) {
      throw new ProtocolError("CONTINUATION without HEADERS", "6.10")
    }
    if (ofStreams.has(type) && streamId === 0) throw new ProtocolError(`${name} on stream 0`, "6")
    if (ofConnections.has(type) && streamId !== 0) throw new ProtocolError(`${name} on stream ${streamId}`, "6")
    const wanted = fixedLengths.get(type)
    if (wanted !== undefined && payload.length !== wanted) {
      throw new ProtocolError(`${name} of ${payload.length} bytes, not ${wanted}`, "4.2", "FRAME_SIZE_ERROR")
    }
    switch (type) {
      case Type.Data:
        return this.data(raw)
      case Type.Headers:
        return this.headers(raw)
      case Type.Continuation:
        return this.endOfBlock(raw)
      case Type.RstStream:
        this.known(raw)
        return void this.ended.add(streamId)
      case Type.WindowUpdate:
        if ((payload.readUInt32BE(0) & 0x7fffffff) === 0) throw new ProtocolError("WindowUpdate by 0", "6.9")
        return streamId === 0 ? undefined : this.known(raw)
      case Type.Settings:
        return settings(payload, (flags & Flag.ack) !== 0)
      case Type.GoAway:
        if (payload.length < 8) throw new ProtocolError(`GoAway of ${payload.length} bytes`, "6.8", "FRAME_SIZE_ERROR")
        return
      case Type.PushPromise:
        throw new ProtocolError("PushPromise by a client", "8.4")
    }
  }

  private data(raw: Raw): void {
    this.known(raw)
    if (this.ended.has(raw.streamId)) {
      throw new ProtocolError(`Data on stream ${raw.streamId}, which its client has ended`, "5.1", "STREAM_CLOSED")
    }
    padding(raw, 0)
    if ((raw.flags & Flag.endStream) !== 0) this.ended.add(raw.streamId)
  }

  private headers(raw: Raw): void {
    const { flags, streamId } = raw
    padding(raw, (flags & Flag.priority) === 0 ? 0 : 5)
    const endsStream = (flags & Flag.endStream) !== 0
    if (streamId % 2 === 0) throw new ProtocolError(`Headers on stream ${streamId}, which is not a client's`, "5.1.1")
    if (streamId > this.lastStreamId) this.lastStreamId = streamId
    else if (this.ended.has(streamId)) {
      throw new ProtocolError(`Headers on stream ${streamId}, which its client has ended`, "5.1", "STREAM_CLOSED")
    } else if (!endsStream) throw new ProtocolError(`Trailers on stream ${streamId} that do not end it`, "8.1")
    if (endsStream) this.ended.add(streamId)
    this.inBlockOf = streamId
    this.endOfBlock(raw)
  }

  private endOfBlock({ flags }: Raw): void {
    if ((flags & Flag.endHeaders) !== 0) this.inBlockOf = undefined
  }

  private known({ streamId, type }: Raw): void {
    if (streamId > this.lastStreamId) {
      throw new ProtocolError(`${nameOf(type)} on stream ${streamId}, which is idle`, "5.1")
    }
  }
}

const padding = ({ flags, payload, type }: Raw, fixed: number): void => {
  const padded = (flags & Flag.padded) !== 0
  const length = padded ? 1 + (payload[0] ?? 0) : 0
  if (length + fixed > payload.length || (padded && payload.length === 0)) {
    throw new ProtocolError(`${nameOf(type)} of ${payload.length} bytes with ${length} bytes of padding`, "6.1")
  }
}

const settings = (payload: Buffer, ack: boolean): void => {
  if (ack ? payload.length !== 0 : payload.length % 6 !== 0) {
    const what = ack ? "Settings with ACK" : "Settings"
    throw new ProtocolError(`${what} of ${payload.length} bytes`, "6.5", "FRAME_SIZE_ERROR")
  }
  for (let at = 0; at < payload.length; at += 6) {
    const id = payload.readUInt16BE(at)
    const value = payload.readUInt32BE(at + 2)
    if (id === 2 && value > 1) throw new ProtocolError(`ENABLE_PUSH ${value}`, "6.5.2")
    if (id === 4 && value > 2 ** 31 - 1) {
      throw new ProtocolError(`INITIAL_WINDOW_SIZE ${value}`, "6.5.2", "FLOW_CONTROL_ERROR")
    }
    if (id === 5 && (value < 2 ** 14 || value > 2 ** 24 - 1)) {
      throw new ProtocolError(`MAX_FRAME_SIZE ${value}`, "6.5.2")
    }
  }
}
