import { Buffer } from "node:buffer"
import type { OutgoingHttpHeaders } from "node:http2"
import * as http2 from "node:http2"
import type { AddressInfo } from "node:net"
import * as net from "node:net"
import type { FrameHandler } from "../../src/http2/frames/FrameHandler.js"
import { FrameReader } from "../../src/http2/frames/FrameReader.js"
import { writePreface, writeSettings, writeSettingsAck } from "../../src/http2/frames/FrameWriter.js"
import { OutputBuffer } from "../../src/http2/frames/OutputBuffer.js"
import { writeHeaders } from "../../src/http2/frames/writeHeaders.js"
import { HpackEncoder } from "../../src/http2/hpack/HpackEncoder.js"
import type { Fields } from "./hpack/support.js"
import { decoder } from "./hpack/support.js"

export interface Conversation {
  /** All that the server sent. */
  readonly octets: Uint8Array
  /** The response's fields for each request, in order of streams. */
  readonly responses: ReadonlyArray<Fields>
}

const ignore = (): void => {}

/**
 * Sends requests to a `node:http2` server, which sends each of their fields back: nghttp2 reads what our encoder wrote, and
 * writes what our decoder reads. `headerTableSize` is what the server allows our encoder.
 */
export const converse = (requests: ReadonlyArray<Fields>, headerTableSize: number): Promise<Conversation> =>
  new Promise((resolve, reject) => {
    const server = http2.createServer({ settings: { headerTableSize } })
    server.on("stream", (stream, headers) => {
      const back: OutgoingHttpHeaders = { ":status": 200, "x-path": headers[":path"] }
      for (const [name, value] of Object.entries(headers)) if (!name.startsWith(":")) back[name] = value
      stream.respond(back)
      stream.end("content")
    })
    server.listen(0, "127.0.0.1", () => {
      const socket = net.connect((server.address() as AddressInfo).port, "127.0.0.1")
      const encoder = new HpackEncoder({ maxTableSize: 65_536 })
      const ours = decoder()
      const output = new OutputBuffer()
      const chunks: Array<Buffer> = []
      const responses: Array<Fields> = []
      let ended = 0
      const end = (error?: unknown): void => {
        socket.destroy()
        server.close()
        if (error === undefined) resolve({ octets: Buffer.concat(chunks), responses })
        else reject(error)
      }
      const handler: FrameHandler = {
        onDataHead: (_streamId, _length, endStream) => {
          if (endStream) ended++
        },
        onDataBytes: ignore,
        onDataEnd: () => {
          if (ended === requests.length) end()
        },
        onHeaders: (streamId, _endStream, bytes, from, to) => {
          const error = ours.decode(bytes, from, to)
          if (error !== undefined) end(error)
          responses[(streamId - 1) / 2] = ours.fields.map(({ name, value }) => [name, value] as const)
        },
        onRstStream: (streamId, errorCode) => end(new Error(`stream ${streamId} was reset: ${errorCode}`)),
        onSettings: (entries) => {
          for (let i = 0; i < entries.length; i += 2) if (entries[i] === 1) encoder.setPeerTableSize(entries[i + 1])
          writeSettingsAck(output)
          requests.forEach((fields, i) => writeHeaders(output, encoder, 2 * i + 1, fields.flat(), true, 16_384))
          socket.write(output.take())
        },
        onSettingsAck: ignore,
        onPing: ignore,
        onPingAck: ignore,
        onGoAway: (_lastStreamId, errorCode, bytes, from, to) =>
          end(new Error(`GOAWAY ${errorCode} ${Buffer.from(bytes.subarray(from, to)).toString("latin1")}`)),
        onWindowUpdate: ignore,
        onIgnored: ignore,
        onStreamError: (_streamId, error) => end(error),
        onProgress: ignore
      }
      const reader = new FrameReader(handler, { maxFrameSize: 16_384, maxHeaderBlockBytes: 1 << 20 })
      writePreface(output)
      writeSettings(output, [2, 0])
      socket.write(output.take())
      socket.on("data", (chunk: Buffer) => {
        chunks.push(chunk)
        const error = reader.execute(chunk, 0, chunk.length)
        if (error !== undefined) end(error)
      })
      socket.on("error", end)
    })
  })
