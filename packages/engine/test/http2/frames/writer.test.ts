import * as fc from "fast-check"
import { Buffer } from "node:buffer"
import { describe, expect, it } from "vitest"
import * as FrameWriter from "../../../src/http2/frames/FrameWriter.js"
import { OutputBuffer } from "../../../src/http2/frames/OutputBuffer.js"
import { writeHeaders } from "../../../src/http2/frames/writeHeaders.js"
import { HpackEncoder } from "../../../src/http2/hpack/HpackEncoder.js"
import { decode, decoder } from "../hpack/support.js"
import { join, settings } from "./build.js"
import { read } from "./transcript.js"

const written = (write: (sink: OutputBuffer) => void): Uint8Array => {
  const output = new OutputBuffer()
  write(output)
  return output.take()
}

const ascii = (text: string): ReadonlyArray<number> => [...Buffer.from(text, "latin1")]

describe("what is written is read", () => {
  it("for each type", () => {
    const bytes = written((sink) => {
      FrameWriter.writeSettings(sink, [2, 0, 4, 0xffffffff])
      FrameWriter.writeSettingsAck(sink)
      FrameWriter.writePing(sink, false, 0xfedcba98, 1)
      FrameWriter.writePing(sink, true, 2, 0x80000000)
      FrameWriter.writeWindowUpdate(sink, 0, 0x7fffffff)
      FrameWriter.writeWindowUpdate(sink, 0x7fffffff, 1)
      FrameWriter.writeRstStream(sink, 3, 8)
      FrameWriter.writeGoAway(sink, 0, 11, "calm")
      FrameWriter.writeDataHead(sink, 5, 0, true)
    })
    expect(read(bytes)).toEqual({
      error: undefined,
      events: [
        ["settings", 2, 0, 4, 0xffffffff],
        ["settings ack"],
        ["ping", 0xfedcba98, 1],
        ["ping ack", 2, 0x80000000],
        ["window", 0, 0x7fffffff],
        ["window", 0x7fffffff, 1],
        ["rst", 3, 8],
        ["goaway", 0, 11, ascii("calm")],
        ["data", 5, 0, true, []],
        ["data end"]
      ]
    })
  })

  const writers: ReadonlyArray<readonly [string, (sink: OutputBuffer) => void]> = [
    ["SETTINGS", (sink) => FrameWriter.writeSettings(sink, [4, 0x01020304])],
    ["PING", (sink) => FrameWriter.writePing(sink, false, 0x01020304, 0x05060708)],
    ["WINDOW_UPDATE", (sink) => FrameWriter.writeWindowUpdate(sink, 1, 0x01020304)],
    ["RST_STREAM", (sink) => FrameWriter.writeRstStream(sink, 1, 0x01020304)],
    ["GOAWAY", (sink) => FrameWriter.writeGoAway(sink, 0, 0x01020304, "debug")],
    ["DATA", (sink) => FrameWriter.writeDataHead(sink, 1, 0x010203, true)],
    ["HEADERS", (sink) => writeHeaders(sink, new HpackEncoder({}), 1, [":method", "GET"], true, 16_384)]
  ]
  it.each(writers)("%s, wherever the buffer ends, and what was taken before stays as it was", (_, write) => {
    const alone = written(write)
    for (let fill = 32 * 1024 - 80; fill <= 32 * 1024; fill++) {
      const output = new OutputBuffer()
      output.ensure(1)
      output.ensure(fill)
      output.end += fill
      const before = output.take()
      const copy = before.slice()
      write(output)
      expect(output.take()).toEqual(alone)
      expect(Buffer.compare(before, copy)).toBe(0)
    }
  })

  it("the preface", () => {
    expect(Buffer.from(written(FrameWriter.writePreface)).toString("latin1")).toBe("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
  })

  it("debug data is cut where nobody would read on", () => {
    expect(written((sink) => FrameWriter.writeGoAway(sink, 0, 0, "x".repeat(100_000)))).toHaveLength(9 + 8 + 1024)
  })
})

describe("HEADERS", () => {
  it("are split by the peer's frame size into CONTINUATION", () => {
    const length = fc.integer({ min: 0, max: 5000 })
    fc.assert(fc.property(length, fc.integer({ min: 1, max: 300 }), fc.boolean(), (length, maxFrameSize, endStream) => {
      const fields = [[":method", "GET"], ["x", "\u00ff".repeat(length)]] as const
      const bytes = written((sink) => {
        FrameWriter.writePing(sink, false, 1, 1)
        expect(writeHeaders(sink, new HpackEncoder(), 7, fields.flat(), endStream, maxFrameSize)).toBe(true)
        FrameWriter.writeSettingsAck(sink)
      })
      const { error, events } = read(join(settings, bytes), [], { maxFrameSize: Math.max(8, maxFrameSize) })
      expect(error).toBeUndefined()
      const [, ping, headers, ack] = events
      expect([ping, headers.slice(0, 3), ack]).toEqual([["ping", 1, 1], ["headers", 7, endStream], ["settings ack"]])
      expect(decode(decoder(), Uint8Array.from(headers[3] as ReadonlyArray<number>))).toEqual(fields)
    }))
  })

  it("that cannot be sent leave nothing behind", () => {
    const bytes = written((sink) => {
      const encoder = new HpackEncoder()
      expect(writeHeaders(sink, encoder, 1, ["a", "b", "c", "\u0100"], true, 100)).toBe(false)
      expect(writeHeaders(sink, encoder, 1, ["\u20ac", "b"], true, 100)).toBe(false)
      expect(sink.length).toBe(0)
      writeHeaders(sink, encoder, 1, ["a", "b"], true, 100)
    })
    expect(bytes).toEqual(written((sink) => writeHeaders(sink, new HpackEncoder(), 1, ["a", "b"], true, 100)))
  })
})

describe("an OutputBuffer", () => {
  it("never writes again what it has handed out", () => {
    const output = new OutputBuffer()
    const taken: Array<readonly [Uint8Array, ReadonlyArray<number>]> = []
    for (let i = 0; i < 5000; i++) {
      FrameWriter.writePing(output, false, i, i)
      if (i % 7 === 0) FrameWriter.writeGoAway(output, i, 0, "x".repeat(i))
      const view = output.take()
      taken.push([view, [...view]])
    }
    expect(taken.every(([view, then]) => then.every((octet, i) => view[i] === octet))).toBe(true)
    expect(output.take()).toHaveLength(0)
  })

  it("grows in the middle of a turn", () => {
    const output = new OutputBuffer()
    for (let i = 0; i < 10_000; i++) FrameWriter.writeRstStream(output, i, i)
    expect(output.length).toBe(130_000)
    const bytes = output.take()
    expect([bytes.length, ...bytes.subarray(-4)]).toEqual([130_000, 0, 0, 0x27, 0x0f])
  })
})
