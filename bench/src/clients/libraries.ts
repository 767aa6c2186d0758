import * as http from "node:http"
import * as https from "node:https"
import { type Client, type ClientSettings, loops, type OpenClient } from "../Client.js"
import { postHeaders } from "./body.js"

const agents = ({ connections }: ClientSettings) => {
  const options = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections }
  return { http: new http.Agent(options), https: new https.Agent(options) }
}

const client = (once: () => Promise<unknown>, close = () => {}): Client => ({
  load: loops(once),
  close: async () => close()
})

/** With an agent that keeps connections, and its retries and hooks as they are. */
export const openGot: OpenClient = async (settings) => {
  const { default: got } = await import("got")
  const { body, url } = settings
  const agent = agents(settings)
  const instance = got.extend({ agent })
  return client(
    body === undefined
      ? () => instance(url).text()
      : () => instance.post(url, { body: Buffer.from(body), headers: postHeaders }).text(),
    () => agent.http.destroy()
  )
}

/** With an agent that keeps connections; the text as it is, instead of parsing it as JSON. */
export const openAxios: OpenClient = async (settings) => {
  const { default: axios } = await import("axios")
  const { body, url } = settings
  const agent = agents(settings)
  const instance = axios.create({
    httpAgent: agent.http,
    httpsAgent: agent.https,
    responseType: "text",
    transformResponse: (text) => text
  })
  return client(
    body === undefined
      ? async () => (await instance.get(url)).data
      : async () => (await instance.post(url, body, { headers: postHeaders })).data,
    () => agent.http.destroy()
  )
}

/** Over Node's `fetch`. */
export const openKy: OpenClient = async ({ body, url }) => {
  const { default: ky } = await import("ky")
  return client(
    body === undefined
      ? () => ky.get(url).text()
      : () => ky.post(url, { body: body as BodyInit, headers: postHeaders }).text()
  )
}
