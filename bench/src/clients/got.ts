import got from "got"
import { type Client, loops, type OpenClient } from "../Client.js"
import { agents } from "./agents.js"
import { postHeaders } from "./body.js"

/** With an agent that keeps connections, and its retries and hooks as they are. */
export const open: OpenClient = async (settings) => {
  const { body, url } = settings
  const agent = agents(settings)
  const instance = got.extend({ agent })
  return {
    load: loops(
      body === undefined
        ? () => instance(url).text()
        : () => instance.post(url, { body: Buffer.from(body), headers: postHeaders }).text()
    ),
    close: async () => agent.http.destroy()
  } satisfies Client
}
