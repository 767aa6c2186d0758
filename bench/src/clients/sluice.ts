import { HttpClientLayer } from "@sluice/node"
import type { ClientSettings, OpenClient } from "../Client.js"
import { open as openEffect } from "./effect.js"

const optionsOf = ({ connections }: ClientSettings) => ({
  limits: { maxConnections: connections, maxKeepAliveConnections: connections },
  // The peers wait as long as it takes for a connection, or for a response that never comes.
  timeouts: { pool: "10 minutes", read: "10 minutes" }
} as const)

export const open: OpenClient = (settings) =>
  openEffect(HttpClientLayer.layer({ ...optionsOf(settings), http2: false } as HttpClientLayer.Options), settings)

export const openHttp2: OpenClient = (settings) =>
  openEffect(
    HttpClientLayer.layer({ ...optionsOf({ ...settings, connections: 1 }), http2: true } as HttpClientLayer.Options),
    settings
  )
