import type { Action, Plan } from "../../FaultProxy.js"

/** Numbers from 0 to 1 that follow from a seed (the mulberry32 generator). */
const numbers = (seed: number): () => number => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const random = (seed: number): Plan => {
  const next = numbers(seed)
  const below = (limit: number) => Math.floor(next() * limit)
  const actions: ReadonlyArray<() => Action> = [
    () => "end",
    () => "reset",
    () => "blackhole",
    () => ({ delay: below(50) }),
    () => ({ insert: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n" }),
    () => ({ duplicate: 1 + below(100) }),
    () => ({ drop: 1 + below(100) })
  ]
  // Small offsets are the ones that hit heads and frames.
  const fault = () => ({
    faults: [{ afterBytes: Math.floor(10 ** (next() * 5)) - 1, action: actions[below(actions.length)]() }]
  })
  const plans: ReadonlyArray<() => Plan> = [
    () => ({}),
    () => ({ delay: below(50) }),
    () => ({ instead: (["end", "reset", "silence"] as const)[below(3)] }),
    () => ({ down: { pieceSize: 1 + below(50) } }),
    () => ({ down: fault() }),
    () => ({ down: fault() }),
    () => ({ up: fault() })
  ]
  return plans[below(plans.length)]()
}
