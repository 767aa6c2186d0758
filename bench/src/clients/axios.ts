import axios from "axios"
import { type Client, loops, type OpenClient } from "../Client.js"
import { agents } from "./agents.js"
import { postHeaders } from "./body.js"

/** With an agent that keeps connections; the text as it is, instead of parsing it as JSON. */
export const open: OpenClient = async (settings) => {
  const { body, url } = settings
  const agent = agents(settings)
  const instance = axios.create({
    httpAgent: agent.http,
    httpsAgent: agent.https,
    responseType: "text",
    transformResponse: (text) => text
  })
  return {
    load: loops(
      body === undefined
        ? async () => (await instance.get(url)).data
        : async () => (await instance.post(url, body, { headers: postHeaders })).data
    ),
    close: async () => agent.http.destroy()
  } satisfies Client
}
