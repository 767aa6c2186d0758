import { ReadableStream } from "node:stream/web"
import { type Client, loops, type OpenClient } from "../Client.js"
import { chunks, postHeaders } from "./body.js"

/** Node's own `fetch`. It opens as many connections as there are requests at once. */
export const open: OpenClient = async ({ body, url }) => {
  const init: RequestInit = body === undefined ? {} : { method: "POST", headers: postHeaders, body: body as BodyInit }
  return {
    load: loops(async () => (await fetch(url, init)).text()),
    download: async (url) => {
      let size = 0
      const { body } = await fetch(url)
      for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) size += chunk.length
      return size
    },
    upload: async (url, chunk, count) => {
      const headers = { "content-length": String(chunk.length * count) }
      const init = { method: "POST", headers, body: ReadableStream.from(chunks(chunk, count)), duplex: "half" }
      await (await fetch(url, init as RequestInit)).text()
    },
    close: async () => {}
  } satisfies Client
}
