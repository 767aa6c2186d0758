import ky from "ky"
import { type Client, loops, type OpenClient } from "../Client.js"
import { postHeaders } from "./body.js"

/** Over Node's `fetch`. */
export const open: OpenClient = async ({ body, url }) => ({
  load: loops(
    body === undefined
      ? () => ky.get(url).text()
      : () => ky.post(url, { body: body as BodyInit, headers: postHeaders }).text()
  ),
  close: async () => {}
} satisfies Client)
