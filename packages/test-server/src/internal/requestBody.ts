import type { Outlet } from "./outlet.js"

/** How many bytes wait to be passed on before no more are read. */
const maxQueued = 256 * 1024

export async function* echoed(out: Outlet): AsyncGenerator<Uint8Array> {
  const { tap } = out.request
  if (tap === undefined) throw new Error("the request's body was not kept")
  tap.onDrained = () => out.holdBody(false)
  while (true) {
    await out.lifetime.wait((resume) => tap.whenReady(resume))
    const bytes = tap.take()
    if (bytes === undefined) return
    if (tap.queued > maxQueued) out.holdBody(true)
    yield bytes
  }
}
