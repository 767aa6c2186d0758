import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import * as path from "node:path"
import { responding, unusedPort } from "./nginx.js"

/** What takes uploads over HTTP/2 as fast as they come, and throws them away: nginx keeps them in files. */
export interface Nghttpd {
  readonly processes: ReadonlyArray<ChildProcess>
  readonly ports: { readonly http2: number; readonly h2c: number }
}

/** Runs nghttpd over TLS and in clear text, with the files that nginx serves from `folder`. Undefined if it is not installed. */
export const start = async (folder: string): Promise<Nghttpd | undefined> => {
  if (spawnSync("nghttpd", ["--version"]).status !== 0) return undefined
  const ports = { http2: await unusedPort(), h2c: await unusedPort() }
  const windows = ["-a", "127.0.0.1", "-w", "20", "-W", "24", "-d", path.join(folder, "files")]
  const run = (args: ReadonlyArray<string>) => spawn("nghttpd", [...windows, ...args], { stdio: "ignore" })
  const processes = [
    run([String(ports.http2), path.join(folder, "key.pem"), path.join(folder, "certificate.pem")]),
    run(["--no-tls", String(ports.h2c)])
  ]
  await Promise.all([responding(ports.http2), responding(ports.h2c)])
  return { processes, ports }
}
