import type { Lifetime } from "./lifetime.js"

/** How often a body with a limited rate is written, in milliseconds. */
const paceInterval = 50

/** The same bytes, no faster than so many a second. */
export async function* paced(
  body: AsyncIterable<Uint8Array>,
  bytesPerSecond: number | undefined,
  lifetime: Lifetime
): AsyncGenerator<Uint8Array> {
  if (bytesPerSecond === undefined) return yield* body
  const step = Math.max(1, Math.floor(bytesPerSecond * paceInterval / 1000))
  let due = performance.now()
  for await (const bytes of body) {
    for (let at = 0; at < bytes.length; at += step) {
      const piece = bytes.subarray(at, at + step)
      yield piece
      due = Math.max(due, performance.now() - paceInterval) + piece.length / bytesPerSecond * 1000
      const wait = due - performance.now()
      if (wait > 0) await lifetime.sleep(wait)
    }
  }
}
