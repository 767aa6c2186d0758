import * as net from "node:net"
import type { Writable } from "node:stream"
import type { Lifetime } from "./lifetime.js"

/** Writes on to `to`, and holds where the bytes come from back while `to` has enough. */
export const carry = (to: Writable, hold: (held: boolean) => void) => (bytes: Uint8Array): void => {
  if (to.write(bytes)) return
  hold(true)
  to.once("drain", () => hold(false))
}

/** Connects a tunnel's two ends. The result takes what comes from the near one. */
export const join = (near: net.Socket, far: net.Socket, hold: (held: boolean) => void): (bytes: Uint8Array) => void => {
  far.on("data", carry(near, (held) => held ? far.pause() : far.resume()))
  far.on("end", () => near.end())
  far.on("close", () => near.destroySoon())
  near.on("close", () => far.destroy())
  if (near.destroyed) far.destroy()
  return carry(far, hold)
}

/** Connects to where a tunnel leads: the socket, or the error's code. Nothing is left of it if the client leaves. */
export const dial = (
  to: { readonly host: string; readonly port: number },
  lifetime: Lifetime
): Promise<net.Socket | string> =>
  lifetime.wait((resume) => {
    const far = net.connect({ ...to, allowHalfOpen: true, noDelay: true })
    const failed = (error: NodeJS.ErrnoException) => resume(error.code ?? error.message)
    far.once("error", failed)
    far.on("error", () => {})
    far.once("connect", () => {
      far.off("error", failed)
      resume(far)
    })
    return () => far.destroy()
  })

/** Writes in one go, or byte by byte with that time between two of them. */
export const drip = async (
  bytes: Uint8Array,
  interval: Parameters<Lifetime["sleep"]>[0] | undefined,
  lifetime: Lifetime,
  write: (bytes: Uint8Array) => void
): Promise<void> => {
  if (interval === undefined) return write(bytes)
  for (let at = 0; at < bytes.length; at++) {
    if (at > 0) await lifetime.sleep(interval)
    write(bytes.subarray(at, at + 1))
  }
}
