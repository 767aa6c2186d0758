import * as http from "node:http"
import * as https from "node:https"
import type { ClientSettings } from "../Client.js"

/** Agents of Node that keep connections, for the libraries that are built on `node:http`. */
export const agents = ({ connections }: ClientSettings) => {
  const options = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections }
  return { http: new http.Agent(options), https: new https.Agent(options) }
}
