import * as net from "node:net"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"
import { codedText, type Coding, codings } from "../payload.js"

const endOfHead = Buffer.from("\r\n\r\n")

const response = (body: string): Buffer =>
  Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`)

/** At the levels at which servers compress as they go. */
const compress: Readonly<Record<Coding, (text: string) => Buffer>> = {
  gzip: (text) => gzipSync(text, { level: 6 }),
  br: (text) => brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })
}

/** A coded response, for a path whose ending is the coding. */
const codedResponse = (path: string): Buffer | undefined => {
  const coding = codings.find((coding) => path.endsWith(`.${coding}`))
  const text = coding === undefined ? undefined : codedText(path)
  if (coding === undefined || text === undefined) return undefined
  const body = compress[coding](text)
  const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" +
    `Content-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

/**
 * The fastest server that we can write: it reads requests just well enough to know where they end (a head in one piece,
 * a content-length and no chunks), and sends a prepared response. `/hold` never gets a response.
 */
export const listen = (responses: Readonly<Record<string, string>>): Promise<net.Server> => {
  const prepared = new Map(Object.entries(responses).map(([path, body]) => [path, response(body)]))
  const empty = response("")
  const codedOrEmpty = (path: string): Buffer => {
    const made = codedResponse(path) ?? empty
    prepared.set(path, made)
    return made
  }
  const server = net.createServer({ noDelay: true })
  server.on("connection", (socket) => {
    let rest = 0
    let reply: Buffer | undefined = empty
    socket.on("error", () => {})
    socket.on("data", (bytes: Buffer) => {
      let at = 0
      while (at < bytes.length) {
        if (rest === 0) {
          const end = bytes.indexOf(endOfHead, at)
          if (end < 0) {
            socket.destroy()
            return
          }
          const head = bytes.toString("latin1", at, end)
          const path = head.slice(head.indexOf(" ") + 1, head.indexOf(" ", head.indexOf(" ") + 1))
          reply = path === "/hold" ? undefined : prepared.get(path) ?? codedOrEmpty(path)
          rest = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
          at = end + endOfHead.length
        }
        const taken = Math.min(rest, bytes.length - at)
        rest -= taken
        at += taken
        if (rest === 0 && reply !== undefined) socket.write(reply)
      }
    })
  })
  return new Promise((resolve) => server.listen(0, "127.0.0.1", 1024, () => resolve(server)))
}
