import { Readable, Writable } from "node:stream"
import { type Dispatcher, interceptors, Pool, request, stream } from "undici"
import { type Client, type ClientSettings, loops, type OpenClient } from "../Client.js"
import type { Meter } from "../Meter.js"
import { chunks, postHeaders } from "./body.js"

const poolOf = ({ connections, url }: ClientSettings, options?: Pool.Options): Pool =>
  new Pool(new URL(url).origin, { connections, ...options })

const common = (pool: Pool) => ({
  download: async (url: string) => {
    let size = 0
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        size += chunk.length
        done()
      }
    })
    await stream(url, { dispatcher: pool, method: "GET" }, () => sink)
    return size
  },
  upload: async (url: string, chunk: Uint8Array, count: number) => {
    const { body } = await request(url, {
      dispatcher: pool,
      method: "POST",
      headers: { "content-length": String(chunk.length * count) },
      body: Readable.from(chunks(chunk, count), { objectMode: false })
    })
    await body.text()
  },
  hold: (url: string, count: number) => {
    for (let i = 0; i < count; i++) request(url, { dispatcher: pool }).catch(() => {})
  },
  close: () => pool.destroy()
})

/** `undici.request` and `body.text()`, over a Pool. */
const withRequest = (options?: Pool.Options): OpenClient => async (settings) => {
  const { body, url } = settings
  const pool = poolOf(settings, options)
  const once = body === undefined
    ? async () => (await request(url, { dispatcher: pool })).body.text()
    : async () => (await request(url, { dispatcher: pool, method: "POST", headers: postHeaders, body })).body.text()
  return { ...common(pool), load: loops(once) } satisfies Client
}

export const openRequest: OpenClient = withRequest()

export const openHttp2: OpenClient = (settings) =>
  withRequest({ allowH2: true, connections: 1, pipelining: 100 })(settings)

/** `undici.request` over a Pool with undici's own interceptor, which does not ask for codings itself. */
export const openDecompressing: OpenClient = async (settings) => {
  const { url } = settings
  const pool = poolOf(settings)
  const dispatcher = pool.compose(interceptors.decompress())
  const headers = { "accept-encoding": "gzip, deflate, br" }
  return {
    load: loops(async () => (await request(url, { dispatcher, headers })).body.text()),
    close: () => pool.destroy()
  } satisfies Client
}

/** `Pool.dispatch`, undici's lowest level: callbacks instead of promises and streams. */
export const openDispatch: OpenClient = async (settings) => {
  const pool = poolOf(settings)
  const { origin, pathname } = new URL(settings.url)
  const options: Dispatcher.DispatchOptions = settings.body === undefined
    ? { origin, path: pathname, method: "GET" }
    : { origin, path: pathname, method: "POST", headers: postHeaders, body: Buffer.from(settings.body) }

  const loop = (meter: Meter) =>
    new Promise<void>((resolve, reject) => {
      const send = () => {
        if (!meter.more()) return resolve()
        const begun = meter.begin()
        let text = ""
        let chunks: Array<Buffer> | undefined = undefined
        pool.dispatch(options, {
          onRequestStart: () => {},
          onResponseStart: () => {},
          onResponseData: (_controller, chunk) => {
            ;(chunks ??= []).push(chunk)
          },
          onResponseEnd: () => {
            if (chunks !== undefined) {
              text = chunks.length === 1
                ? chunks[0].toString()
                : Buffer.concat(chunks).toString()
            }
            meter.end(begun, text)
            send()
          },
          onResponseError: (_controller, error) => reject(error)
        })
      }
      send()
    })

  return {
    ...common(pool),
    load: async (meter, workers) => {
      await Promise.all(Array.from({ length: workers }, () => loop(meter)))
    }
  } satisfies Client
}
