import * as http from "node:http"
import * as https from "node:https"
import { finished } from "node:stream/promises"
import { type Client, loops, type OpenClient } from "../Client.js"
import { postHeaders } from "./body.js"

/** `http.request` with an agent that keeps connections. */
export const open: OpenClient = async ({ body, connections, url }) => {
  const { Agent, request } = url.startsWith("https:") ? https : http
  const agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections })

  const once = () =>
    new Promise<string>((resolve, reject) => {
      const sent = request(url, {
        agent,
        method: body === undefined ? "GET" : "POST",
        headers: body === undefined ? {} : { ...postHeaders, "content-length": body.length }
      }, (response) => {
        let text = ""
        response.setEncoding("utf8")
        response.on("data", (chunk: string) => {
          text += chunk
        })
        response.on("end", () => resolve(text))
        response.on("error", reject)
      })
      sent.on("error", reject)
      sent.end(body)
    })

  return {
    load: loops(once),
    download: (url) =>
      new Promise((resolve, reject) => {
        request(url, { agent }, (response) => {
          let size = 0
          response.on("data", (chunk: Buffer) => {
            size += chunk.length
          })
          response.on("end", () => resolve(size))
          response.on("error", reject)
        }).on("error", reject).end()
      }),
    upload: async (url, chunk, count) => {
      const sent = request(url, { agent, method: "POST", headers: { "content-length": chunk.length * count } })
      const responded = new Promise<http.IncomingMessage>((resolve, reject) => {
        sent.on("response", resolve)
        sent.on("error", reject)
      })
      for (let i = 0; i < count; i++) {
        if (!sent.write(chunk)) await new Promise((resolve) => sent.once("drain", resolve))
      }
      sent.end()
      await finished((await responded).resume())
    },
    hold: (url, count) => {
      for (let i = 0; i < count; i++) request(url, { agent }).on("error", () => {}).end()
    },
    close: async () => agent.destroy()
  } satisfies Client
}
