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

const openHttp2With =
  (http2: HttpClientLayer.Options["http2"], connections: (settings: ClientSettings) => number): OpenClient =>
  (settings) =>
    openEffect(
      HttpClientLayer.layer(
        { ...optionsOf({ ...settings, connections: connections(settings) }), http2 } as HttpClientLayer.Options
      ),
      settings
    )

export const openHttp2: OpenClient = openHttp2With("prior-knowledge", () => 1)

/** Over as many connections as there are, 100 streams on each. */
export const openHttp2Many: OpenClient = openHttp2With("prior-knowledge", ({ connections }) => connections)

/** A connection for each request, as over HTTP/1.1: to have many of them. */
export const openHttp2Single: OpenClient = openHttp2With(
  { priorKnowledge: true, maxConcurrentStreams: 1 },
  ({ connections }) => connections
)
