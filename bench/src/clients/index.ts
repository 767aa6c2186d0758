import type { OpenClient } from "../Client.js"

/**
 * The contenders by the names that the tables show. Each is imported by the process that measures it, and by no other.
 */
const clients: Record<string, () => Promise<OpenClient>> = {
  "Sluice": async () => (await import("./sluice.js")).open,
  "Sluice h2, many connections": async () => (await import("./sluice.js")).openHttp2Many,
  "Sluice h2, a connection each": async () => (await import("./sluice.js")).openHttp2Single,
  "Sluice h2": async () => (await import("./sluice.js")).openHttp2,
  "bare socket": async () => (await import("./bare.js")).open,
  "Sluice (Effect 4)": async () => (await import("@sluice/bench-effect4")).openSluice,
  "layerUndici (Effect 4)": async () => (await import("@sluice/bench-effect4")).openUndici,
  "layerNodeHttp (Effect 4)": async () => (await import("@sluice/bench-effect4")).openNode,
  "FetchHttpClient (Effect 4)": async () => (await import("@sluice/bench-effect4")).openFetch,
  "undici 8 pool.request": async () => (await import("@sluice/bench-effect4")).openBareUndici,
  "undici dispatch": async () => (await import("./undici.js")).openDispatch,
  "undici.request": async () => (await import("./undici.js")).openRequest,
  "undici decompress": async () => (await import("./undici.js")).openDecompressing,
  "undici.request h2": async () => (await import("./undici.js")).openHttp2,
  "node:http": async () => (await import("./nodeHttp.js")).open,
  "node:http2": async () => (await import("./http2.js")).open,
  "node:http2, a connection each": async () => (await import("./http2.js")).openSingle,
  "fetch": async () => (await import("./fetch.js")).open,
  "got": async () => (await import("./got.js")).open,
  "axios": async () => (await import("./axios.js")).open,
  "ky": async () => (await import("./ky.js")).open,
  "FetchHttpClient": async () => (await import("./platformFetch.js")).open,
  "layerUndici": async () => (await import("./platform.js")).openUndici,
  "NodeHttpClient.layer": async () => (await import("./platform.js")).openNode,
  "NodeHttpClient.layer, keep-alive": async () => (await import("./platform.js")).openNodeKeepAlive
}

export const clientNamed = (name: string): Promise<OpenClient> => {
  const client = clients[name]
  if (client === undefined) throw new Error(`no client is called ${name}`)
  return client()
}
