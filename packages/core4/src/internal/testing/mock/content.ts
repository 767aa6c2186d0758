import { contentOf, throttledPieces, withLength } from "@sluice/engine/mock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import type { TransportError } from "../../../TransportError.js"
import type * as MemoryNetwork from "../memoryModels.js"
import type * as MockHttp from "./models.js"

/** A chunk at a time, each when its bytes are due. */
const throttled = <E>(
  body: Stream.Stream<string | Uint8Array, E>,
  bytesPerSecond: number
): Stream.Stream<Uint8Array, E> => {
  let isFirst = true
  return body.pipe(
    Stream.flatMap((chunk) => Stream.fromIterable(throttledPieces(chunk, bytesPerSecond))),
    Stream.rechunk(1),
    Stream.mapEffect((piece) => {
      const wait = isFirst ? 0 : piece.length / bytesPerSecond * 1000
      isFirst = false
      return wait === 0 ? Effect.succeed(piece) : Effect.delay(Effect.succeed(piece), Duration.millis(wait))
    })
  )
}

/** The reply as the network sends it. */
export const toNetwork = (
  reply: MockHttp.Reply,
  { connection }: MemoryNetwork.Request
): Effect.Effect<MemoryNetwork.Reply> => {
  const { bytesPerSecond, cutAfter, delay, form: _form, jitter, json: _json, ...rest } = reply
  const content = contentOf(reply)
  let { headers } = content
  let body: MemoryNetwork.Reply["body"] = content.body
  if (body instanceof Uint8Array && cutAfter !== undefined) {
    headers = withLength(headers, body)
    body = Stream.concat(
      Stream.make(body.subarray(0, cutAfter)),
      Stream.fromEffectDrain(Effect.andThen(Effect.sync(() => connection.close()), Effect.never))
    )
  }
  if (bytesPerSecond !== undefined && body !== undefined) {
    if (body instanceof Uint8Array) headers = withLength(headers, body)
    body = throttled(
      body instanceof Uint8Array ? Stream.make(body) : body as Stream.Stream<Uint8Array, TransportError>,
      bytesPerSecond
    )
  }
  const sent: MemoryNetwork.Reply = { ...rest, headers, body }
  const late = delay === undefined ? Effect.succeed(sent) : Effect.delay(Effect.succeed(sent), delay)
  return jitter === undefined ? late : Effect.andThen(
    // TestClock takes whole milliseconds.
    Effect.flatMap(Random.next, (chance) => Effect.sleep(Math.round(chance * Duration.toMillis(jitter)))),
    late
  )
}
