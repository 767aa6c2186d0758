import { assert, beforeAll, describe, it } from "@effect/vitest"
import type * as net from "node:net"
import type { ClientSettings } from "../src/Client.js"
import { clientNamed } from "../src/clients/index.js"
import { Meter } from "../src/Meter.js"
import { codedText, smallText, uploadBody, uploadChunk } from "../src/payload.js"
import { listen } from "../src/server/raw.js"

// A contender that does less than the others would win: each gets the same responses, and sends what it is given.

let origin = ""

beforeAll(async () => {
  const server = await listen({ "/small": smallText })
  origin = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`
  return () => {
    server.close()
  }
})

const settings = (rest: Partial<ClientSettings> = {}): ClientSettings => ({
  url: `${origin}/small`,
  connections: 4,
  body: undefined,
  traces: undefined,
  ...rest
})

const everyone = [
  "Sluice",
  "undici.request",
  "undici dispatch",
  "node:http",
  "fetch",
  "got",
  "axios",
  "ky",
  "FetchHttpClient",
  "layerUndici",
  "NodeHttpClient.layer",
  "NodeHttpClient.layer, keep-alive"
]

describe("clients", () => {
  for (const name of everyone) {
    it(`${name} reads every response as text`, async () => {
      const client = await (await clientNamed(name))(settings())
      const meter = new Meter(0.001, smallText, 20)
      await client.load(meter, 4)
      await client.close()
      assert.isAtLeast(meter.count, 4)
    })

    it(`${name} sends the whole body`, async () => {
      const body = new Uint8Array(uploadBody).fill(0x61)
      const client = await (await clientNamed(name))(settings({ body }))
      // The server responds to a request when it has read all of it, so a second response on a connection says so too.
      const meter = new Meter(0.001, smallText, 8)
      await client.load(meter, 2)
      await client.close()
      assert.isAtLeast(meter.count, 2)
    })
  }

  for (const name of ["Sluice", "undici decompress", "fetch", "got"]) {
    for (const path of ["/coded-64k.gzip", "/coded-64k.br"]) {
      it(`${name} decodes ${path}`, async () => {
        const client = await (await clientNamed(name))(settings({ url: `${origin}${path}` }))
        const meter = new Meter(0.001, codedText(path), 8)
        await client.load(meter, 2)
        await client.close()
        assert.isAtLeast(meter.count, 2)
      })
    }
  }

  it("the bare socket counts responses and sends bodies", async () => {
    const open = await clientNamed("bare socket")
    for (const body of [undefined, new Uint8Array(uploadBody)]) {
      const client = await open(settings({ body }))
      const meter = new Meter(5)
      await client.load(meter, 4)
      await client.close()
      assert.isAtLeast(meter.count, 4)
    }
  })

  for (const name of ["Sluice", "bare socket", "undici.request", "node:http", "fetch", "layerUndici"]) {
    it(`${name} reads and sends streams`, async () => {
      const client = await (await clientNamed(name))(settings({ connections: 1 }))
      const size = await client.download?.(`${origin}/small`)
      assert.isAtLeast(size as number, smallText.length)
      await client.upload?.(`${origin}/small`, new Uint8Array(uploadChunk), 16)
      await client.close()
    })
  }
})
