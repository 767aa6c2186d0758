// The servers of a benchmark, in a process of their own. It reports where they listen in one line of JSON, and ends, with
// all that it started, when its standard input does: so none outlives whoever wanted it, however that ends.
import * as TestAuthority from "@sluice/test-server/TestAuthority"
import * as Effect from "effect/Effect"
import type { ChildProcess } from "node:child_process"
import * as fs from "node:fs/promises"
import type * as net from "node:net"
import * as path from "node:path"
import { largeBody, mediumText, served, smallText } from "./payload.js"
import * as nghttpd from "./server/nghttpd.js"
import * as nginx from "./server/nginx.js"
import * as raw from "./server/raw.js"
import type { Endpoints } from "./Suite.js"

const folder = await nginx.temporaryFolder()
const rawServer = await raw.listen(served)
const rawUrl = `http://127.0.0.1:${(rawServer.address() as net.AddressInfo).port}`
const version = nginx.version()

const start = async (): Promise<{ readonly endpoints: Endpoints; readonly children: ReadonlyArray<ChildProcess> }> => {
  if (version === undefined) {
    const endpoints = { server: "our own", http: rawUrl, https: undefined, http2: undefined, raw: rawUrl }
    return {
      endpoints: { ...endpoints, h2c: undefined, uploads: undefined, authority: undefined },
      children: []
    }
  }
  const { authority, identity } = await Effect.runPromise(Effect.gen(function*() {
    const authority = yield* TestAuthority.make()
    return { authority, identity: yield* authority.issue() }
  }))
  const file = path.join(folder, "authority.pem")
  await fs.writeFile(file, authority.certificate)
  const { ports, process: child } = await nginx.start(folder, identity, smallText, `${rawUrl}/hold`, {
    "small": smallText,
    "64k": mediumText,
    "large": largeBody.full,
    "large-quick": largeBody.quick,
    "100m": largeBody.http2
  })
  const uploads = await nghttpd.start(folder)
  return {
    endpoints: {
      server: version,
      http: `http://127.0.0.1:${ports.http}`,
      https: `https://localhost:${ports.https}`,
      http2: `https://localhost:${ports.http2}`,
      h2c: `http://127.0.0.1:${ports.h2c}`,
      uploads: uploads === undefined ? undefined : {
        http2: `https://localhost:${uploads.ports.http2}`,
        h2c: `http://127.0.0.1:${uploads.ports.h2c}`
      },
      raw: rawUrl,
      authority: file
    },
    children: [child, ...uploads?.processes ?? []]
  }
}

const { children, endpoints } = await start()

const stop = async () => {
  rawServer.close()
  // It is gone when its files may go.
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill("SIGTERM")
    await new Promise((resolve) => child.once("exit", resolve))
  }
  await fs.rm(folder, { recursive: true, force: true })
  process.exit(0)
}
for (const child of children) child.once("exit", stop)
// Ctrl-C reaches this process too; whoever started it decides when it ends.
process.on("SIGINT", () => {})
process.on("SIGTERM", stop)
process.stdin.on("end", stop).on("error", stop).resume()

console.log(JSON.stringify(endpoints))
