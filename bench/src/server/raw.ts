import * as net from "node:net"

const endOfHead = Buffer.from("\r\n\r\n")

const response = (body: string): Buffer =>
  Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`)

/**
 * The fastest server that we can write: it reads requests just well enough to know where they end (a head in one piece,
 * a content-length and no chunks), and sends a prepared response. `/hold` never gets a response.
 */
export const listen = (responses: Readonly<Record<string, string>>): Promise<net.Server> => {
  const prepared = new Map(Object.entries(responses).map(([path, body]) => [path, response(body)]))
  const empty = response("")
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
          reply = path === "/hold" ? undefined : prepared.get(path) ?? empty
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
