import type { Socket } from "node:net"
import type { Lifetime } from "../lifetime.js"
import { paced } from "../pace.js"
import { toBytes } from "../reply.js"
import type { DirectionPlan, Fault } from "./plan.js"

/** What the carrying of one direction may do besides. */
export interface Run {
  readonly lifetime: Lifetime
  /** Counts a fault. */
  readonly count: () => void
  /** Closes both connections, once what was written is out. */
  readonly close: (how: "end" | "reset") => void
  /** Takes what comes from that side, for nobody. */
  readonly swallow: (from: Socket) => void
}

/** Carries the bytes of one direction as the plan says. Rejects when the connection ends. */
export const carryWith = async (plan: DirectionPlan, from: Socket, to: Socket, run: Run): Promise<void> => {
  const { lifetime } = run
  for await (const bytes of paced(spoiled(plan.faults ?? [], from, run), plan.bytesPerSecond, lifetime)) {
    const size = plan.pieceSize ?? bytes.length
    for (let at = 0; at < bytes.length; at += size) {
      if (plan.delayBetweenPieces !== undefined) await lifetime.sleep(plan.delayBetweenPieces)
      const isRoom = to.write(bytes.subarray(at, at + size))
      if (!isRoom) await drained(to, lifetime)
      else if (plan.pieceSize !== undefined) {
        await lifetime.wait((resume) => {
          setImmediate(resume)
          return () => {}
        })
      }
    }
  }
  if (from.readableEnded) to.end()
}

const drained = (to: Socket, lifetime: Lifetime): Promise<void> =>
  lifetime.wait((resume) => {
    const done = () => resume()
    to.once("drain", done)
    return () => to.off("drain", done)
  })

/** The bytes of a stream with the faults in them. It ends where the stream is cut; nothing more is read behind that. */
async function* spoiled(faults: ReadonlyArray<Fault>, from: Socket, run: Run): AsyncGenerator<Uint8Array> {
  const left = [...faults].sort((one, other) => offsetOf(one) - offsetOf(other))
  let passed = 0
  let dropping = 0
  let doubling = 0

  /** Carries out what is due. False when the stream is cut here. */
  async function* act(): AsyncGenerator<Uint8Array, boolean> {
    while (left.length > 0 && offsetOf(left[0]) <= passed) {
      const { action } = left[0]
      left.shift()
      run.count()
      if (action === "end" || action === "reset") run.close(action)
      else if (action === "blackhole") run.swallow(from)
      else if ("delay" in action) await run.lifetime.sleep(action.delay)
      else if ("hold" in action) await run.lifetime.pass(action.hold)
      else if ("insert" in action) yield toBytes(action.insert)
      else if ("duplicate" in action) doubling = action.duplicate
      else dropping = action.drop
      if (typeof action === "string") return false
    }
    return true
  }

  function* copies(bytes: Uint8Array): Generator<Uint8Array> {
    const rest = bytes.subarray(dropping)
    dropping -= bytes.length - rest.length
    const twice = rest.subarray(0, doubling)
    doubling -= twice.length
    if (twice.length > 0) yield twice
    if (rest.length > 0) yield rest
  }

  if (!(yield* act())) return
  // The socket outlives this loop: how it is closed is for the fault to say.
  for await (const read of from.iterator({ destroyOnReturn: false })) {
    let bytes: Uint8Array = read
    while (bytes.length > 0) {
      const size = left.length === 0 ? bytes.length : Math.min(bytes.length, offsetOf(left[0]) - passed)
      yield* copies(bytes.subarray(0, size))
      passed += size
      bytes = bytes.subarray(size)
      if (!(yield* act())) return
    }
  }
}

const offsetOf = (fault: Fault): number => fault.afterBytes ?? 0
