import type { FrameHandler } from "../../../src/http2/frames/FrameHandler.js"
import type { FrameReaderOptions } from "../../../src/http2/frames/FrameReader.js"
import { FrameReader } from "../../../src/http2/frames/FrameReader.js"
import type { ProtocolError } from "../../../src/http2/ProtocolError.js"

/** What a reader reported, in terms that do not depend on how the input was split: content is joined by frame. */
export type Transcript = ReadonlyArray<ReadonlyArray<unknown>>

export const defaultOptions: FrameReaderOptions = { maxFrameSize: 16_384, maxHeaderBlockBytes: 1 << 20 }

const copy = (bytes: Uint8Array, start: number, end: number): ReadonlyArray<number> => [...bytes.subarray(start, end)]

export interface Recording {
  readonly reader: FrameReader
  readonly events: Array<ReadonlyArray<unknown>>
  /** How often `onProgress` was called. */
  readonly progress: () => number
}

export const record = (
  options: Partial<FrameReaderOptions> = {},
  overridden: Partial<FrameHandler> = {}
): Recording => {
  const events: Array<ReadonlyArray<unknown>> = []
  let content: Array<number> = []
  let progress = 0
  const handler: FrameHandler = {
    onDataHead: (streamId, flowLength, endStream) => {
      content = []
      events.push(["data", streamId, flowLength, endStream, content])
    },
    onDataBytes: (bytes, start, end) => {
      if (start >= end) throw new Error("content is never empty")
      content.push(...copy(bytes, start, end))
    },
    onDataEnd: () => events.push(["data end"]),
    onHeaders: (streamId, endStream, bytes, start, end) =>
      events.push(["headers", streamId, endStream, copy(bytes, start, end)]),
    onRstStream: (streamId, errorCode) => events.push(["rst", streamId, errorCode]),
    onSettings: (entries) => events.push(["settings", ...entries]),
    onSettingsAck: () => events.push(["settings ack"]),
    onPing: (high, low) => events.push(["ping", high, low]),
    onPingAck: (high, low) => events.push(["ping ack", high, low]),
    onGoAway: (lastStreamId, errorCode, bytes, start, end) =>
      events.push(["goaway", lastStreamId, errorCode, copy(bytes, start, end)]),
    onWindowUpdate: (streamId, increment) => events.push(["window", streamId, increment]),
    onIgnored: (streamId, type) => events.push(["ignored", streamId, type]),
    onStreamError: (streamId, error) => events.push(["stream error", streamId, error]),
    onProgress: () => {
      progress++
    },
    ...overridden
  }
  return {
    reader: new FrameReader(handler, { ...defaultOptions, ...options }),
    events,
    progress: () => progress
  }
}

export interface Reading {
  readonly events: Transcript
  readonly error: ProtocolError | undefined
}

/** Reads input in the pieces that `cuts` divide it into. */
export const read = (
  input: Uint8Array,
  cuts: ReadonlyArray<number> = [],
  options: Partial<FrameReaderOptions> = {}
): Reading => {
  const { events, reader } = record(options)
  let error: ProtocolError | undefined
  let start = 0
  for (const end of [...cuts, input.length]) {
    // A piece of its own, with other octets around it, so that nothing is read beyond its range.
    const piece = new Uint8Array(end - start + 2).fill(0xff)
    piece.set(input.subarray(start, end), 1)
    error = reader.execute(piece, 1, piece.length - 1)
    start = end
  }
  return { events, error }
}
