import type * as Duration from "effect/Duration"
import type { Gate } from "../../Gate.js"

/**
 * What is done at one offset of a stream of bytes.
 *
 * - `"end"` and `"reset"` close the connection of the client, and that of the server.
 * - `"blackhole"` swallows all that follows in this direction; both connections stay open.
 * - `delay` and `hold` stop the stream for a time in real time, or until a gate opens.
 * - `insert` writes bytes that the other side never sent.
 * - `duplicate` sends the next so many bytes twice.
 * - `drop` leaves the next so many bytes out.
 *
 * @since 0.1.0
 * @category models
 */
export type Action =
  | "end"
  | "reset"
  | "blackhole"
  | { readonly delay: Duration.DurationInput }
  | { readonly hold: Gate }
  | { readonly insert: string | Uint8Array }
  | { readonly duplicate: number }
  | { readonly drop: number }

/**
 * @since 0.1.0
 * @category models
 */
export interface Fault {
  /** How many bytes of the stream pass before it. Default 0. */
  readonly afterBytes?: number | undefined

  readonly action: Action
}

/**
 * What happens to the bytes of one direction.
 *
 * @since 0.1.0
 * @category models
 */
export interface DirectionPlan {
  /** In the order of their offsets; several at one offset are carried out one after the other. Default none. */
  readonly faults?: ReadonlyArray<Fault> | undefined

  /** No more bytes than so many a second, steadily. Default: no limit. */
  readonly bytesPerSecond?: number | undefined

  /** Writes no more than so many bytes at once, each piece by itself. Default: as they come. */
  readonly pieceSize?: number | undefined

  /** Real time before each piece: with a `pieceSize` of 1 a drip. Default none. */
  readonly delayBetweenPieces?: Duration.DurationInput | undefined
}

/**
 * What happens to one connection.
 *
 * @since 0.1.0
 * @category models
 */
export interface Plan {
  /** Real time between accepting a connection and doing anything with it. Default none. */
  readonly delay?: Duration.DurationInput | undefined

  /** Holds the connection, accepted, before anything is done with it. Default none. */
  readonly hold?: Gate | undefined

  /** instead of all else: nothing, for ever; a FIN; a reset. Default: the connection is carried. */
  readonly instead?: "silence" | "end" | "reset" | undefined

  /** From the client to the server. */
  readonly up?: DirectionPlan | undefined

  /** From the server to the client. */
  readonly down?: DirectionPlan | undefined
}

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
