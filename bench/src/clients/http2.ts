import * as http2 from "node:http2"
import { type Client, type ClientSettings, loops, type OpenClient } from "../Client.js"
import { chunks } from "./body.js"
import { distinctHeaders } from "./distinct.js"

const connect = async (origin: string): Promise<http2.ClientHttp2Session> => {
  const session = http2.connect(origin, { settings: { initialWindowSize: 1024 * 1024 } })
  await new Promise((resolve, reject) => session.once("connect", resolve).once("error", reject))
  session.setLocalWindowSize(16 * 1024 * 1024)
  return session
}

const close = (session: http2.ClientHttp2Session) => new Promise<void>((resolve) => session.close(resolve))

const textOf = (stream: http2.ClientHttp2Stream): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ""
    stream.setEncoding("utf8")
    stream.on("data", (chunk: string) => {
      text += chunk
    })
    stream.on("end", () => resolve(text))
    stream.on("error", reject)
  })

/** Bare `node:http2`: one session, a stream for each request. */
export const open: OpenClient = async ({ body, distinct, url }) => {
  const { origin, pathname } = new URL(url)
  const session = await connect(origin)
  const once = () => {
    if (body === undefined) {
      return textOf(
        session.request(distinct === true ? { ":path": pathname, ...distinctHeaders() } : { ":path": pathname })
      )
    }
    const stream = session.request({ ":method": "POST", ":path": pathname, "content-length": body.length })
    stream.end(body)
    return textOf(stream)
  }
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
    upload: async (url, chunk, count) => {
      const stream = session.request({ ":method": "POST", ":path": new URL(url).pathname })
      const text = textOf(stream)
      for (const piece of chunks(chunk, count)) {
        if (!stream.write(piece)) await new Promise((resolve) => stream.once("drain", resolve))
      }
      stream.end()
      await text
    },
    hold: (url, count) => {
      for (let i = 0; i < count; i++) session.request({ ":path": new URL(url).pathname }).on("error", () => {})
    },
    close: () => close(session)
  } satisfies Client
}

/** A session for each request at once, to have many of them. */
export const openSingle: OpenClient = async ({ connections, url }: ClientSettings) => {
  const { origin, pathname } = new URL(url)
  const sessions = await Promise.all(Array.from({ length: connections }, () => connect(origin)))
  let next = 0
  return {
    load: loops(() => textOf(sessions[next++ % sessions.length].request({ ":path": pathname }))),
    close: async () => {
      await Promise.all(sessions.map(close))
    }
  } satisfies Client
}
