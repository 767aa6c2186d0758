import * as http2 from "node:http2"
import { type Client, loops, type OpenClient } from "../Client.js"

/** Bare `node:http2`: one session, a stream for each request. */
export const open: OpenClient = async ({ url }) => {
  const { origin, pathname } = new URL(url)
  const session = http2.connect(origin, { settings: { initialWindowSize: 1024 * 1024 } })
  await new Promise((resolve, reject) => session.once("connect", resolve).once("error", reject))
  session.setLocalWindowSize(16 * 1024 * 1024)

  const once = () =>
    new Promise<string>((resolve, reject) => {
      const stream = session.request({ ":path": pathname })
      let text = ""
      stream.setEncoding("utf8")
      stream.on("data", (chunk: string) => {
        text += chunk
      })
      stream.on("end", () => resolve(text))
      stream.on("error", reject)
    })

  return {
    load: loops(once),
    download: (url) =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ":path": new URL(url).pathname })
        let size = 0
        stream.on("data", (chunk: Buffer) => {
          size += chunk.length
        })
        stream.on("end", () => resolve(size))
        stream.on("error", reject)
      }),
    close: () => new Promise<void>((resolve) => session.close(resolve))
  } satisfies Client
}
