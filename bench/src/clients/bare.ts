import * as net from "node:net"
import * as tls from "node:tls"
import type { Client, OpenClient } from "../Client.js"
import type { Meter } from "../Meter.js"

/** What one connection does with the bytes that it reads; there are `length` of them. */
type OnBytes = (length: number, bytes: Uint8Array) => void

interface Line {
  readonly socket: net.Socket
  onBytes: OnBytes
}

/** One for all connections: nothing is kept of what is read. */
const buffer = Buffer.allocUnsafeSlow(64 * 1024)

const connect = (url: URL): Promise<Line> =>
  new Promise((resolve, reject) => {
    const host = { host: url.hostname, port: Number(url.port) }
    const line = {
      socket: undefined as unknown as net.Socket,
      onBytes: (() => {}) as OnBytes
    }
    if (url.protocol === "https:") {
      // A TLS socket of Node 20 has no `onread`.
      const socket = tls.connect({ ...host, servername: "localhost" }, () => resolve(line))
      socket.on("data", (bytes) => line.onBytes(bytes.length, bytes))
      line.socket = socket
    } else {
      const callback = (length: number, bytes: Uint8Array) => {
        line.onBytes(length, bytes)
        return true
      }
      line.socket = net.connect({ ...host, noDelay: true, onread: { buffer, callback } }, () => resolve(line))
    }
    line.socket.on("error", reject)
  })

const headOf = (method: string, url: URL, length: number): string =>
  `${method} ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n` +
  (method === "POST" ? `content-type: application/octet-stream\r\ncontent-length: ${length}\r\n\r\n` : "\r\n")

/** The size of a response whose head is in these bytes. */
const sizeOf = (bytes: Uint8Array, length: number): number => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, length).toString("latin1")
  const end = text.indexOf("\r\n\r\n") + 4
  const content = /\r\ncontent-length: *(\d+)/i.exec(text)
  if (end < 4 || content === null) throw new Error(`no response of known length: ${text.slice(0, 200)}`)
  return end + Number(content[1])
}

/**
 * The floor: a socket that writes a prepared request and counts bytes. It reads no head but the first, so it is what no
 * client can reach, and what shows how much of a client's cost is the client's own.
 */
export const open: OpenClient = async ({ body, connections, url }) => {
  const target = new URL(url)
  const lines = await Promise.all(Array.from({ length: connections }, () => connect(target)))
  const head = headOf(body === undefined ? "GET" : "POST", target, body?.length ?? 0)
  const request = Buffer.concat([Buffer.from(head, "latin1"), body ?? new Uint8Array(0)])

  let size = 0
  const loop = (line: Line, meter: Meter) =>
    new Promise<void>((resolve) => {
      let begun = 0
      let received = 0
      const send = () => {
        if (!meter.more()) return resolve()
        begun = meter.begin()
        received = 0
        line.socket.write(request)
      }
      line.onBytes = (length, bytes) => {
        if (size === 0) size = sizeOf(bytes, length)
        received += length
        if (received < size) return
        meter.end(begun, undefined)
        send()
      }
      send()
    })

  return {
    load: async (meter, workers) => {
      await Promise.all(lines.slice(0, workers).map((line) => loop(line, meter)))
    },
    download: (url) => download(lines[0], new URL(url)),
    upload: (url, chunk, count) => upload(lines[0], new URL(url), chunk, count),
    hold: (url, count) => {
      for (const line of lines.slice(0, count)) line.socket.write(headOf("GET", new URL(url), 0))
    },
    close: async () => {
      for (const line of lines) line.socket.destroy()
    }
  } satisfies Client
}

const download = (line: Line, url: URL) =>
  new Promise<number>((resolve) => {
    let size = 0
    let received = 0
    line.onBytes = (length, bytes) => {
      if (size === 0) size = sizeOf(bytes, length)
      received += length
      if (received >= size) resolve(received)
    }
    line.socket.write(headOf("GET", url, 0))
  })

const upload = (line: Line, url: URL, chunk: Uint8Array, count: number) =>
  new Promise<void>((resolve) => {
    line.onBytes = () => resolve()
    const { socket } = line
    socket.write(headOf("POST", url, chunk.length * count))
    let sent = 0
    const send = () => {
      let hasRoom = true
      while (sent < count && hasRoom) {
        sent++
        hasRoom = socket.write(chunk)
      }
      if (sent < count) socket.once("drain", send)
    }
    send()
  })
