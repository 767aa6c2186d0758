import { Failure } from "@sluice/engine"
import type { ResponseBody } from "@sluice/engine/call"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { fromFailure, type TransportError } from "../../TransportError.js"
import { callback } from "../soon.js"

/** All of it, as one piece. Can be read again, and by several fibers at once. */
export const bytesOf = (body: ResponseBody): Effect.Effect<Uint8Array, TransportError> =>
  body.isComplete ? joined(body) : Effect.andThen(whole(body), joined(body))

/** As it arrives. What has been read is not kept, unless all of it had arrived before. */
export const streamOf = (body: ResponseBody): Stream.Stream<Uint8Array, TransportError> =>
  Stream.suspend(() => {
    const opening = body.openStream()
    switch (opening._tag) {
      case "Refused":
        return Stream.fail(fromFailure(opening.failure))
      case "Complete":
        return Stream.fromIterable(opening.chunks)
      case "Whole":
        return Stream.fromEffect(bytesOf(body))
      case "Opened":
        return Stream.ensuring(
          Stream.fromPull(Effect.succeed(pull(body))),
          Effect.sync(() => body.abandon("Cancelled"))
        )
    }
  })

const whole = (body: ResponseBody): Effect.Effect<void, TransportError> =>
  callback((resume) => {
    const cancel = body.readWhole((failure) =>
      resume(failure === undefined ? Exit.void : Exit.fail(fromFailure(failure)))
    )
    return Effect.sync(cancel)
  })

const joined = (body: ResponseBody): Effect.Effect<Uint8Array, TransportError> =>
  Effect.suspend(() => {
    try {
      return Exit.succeed(body.join())
    } catch {
      return Exit.fail(tooLarge(body, "bytes", body.size))
    }
  })

/** The most bytes that are a text for certain: V8's longest string. */
export const maxText = 2 ** 29 - 24

/** There is no memory for so many bytes, or no text can be so long. */
export const tooLarge = (body: ResponseBody, reader: "bytes" | "text", maxResponseSize: number): TransportError =>
  fromFailure(Failure.responseTooLarge({ ...body.details(), reader, maxResponseSize }))

const pull = (body: ResponseBody): Pull<TransportError> =>
  callback((resume) => {
    // Taken when the reader's fiber goes on: more may have come by then, and each step of a stream has its price.
    const cancel = body.whenReadable(() => resume(Effect.suspend(() => take(body))))
    return Effect.sync(cancel)
  })

type Pull<E> = Effect.Effect<Arr.NonEmptyReadonlyArray<Uint8Array>, E | Cause.Done>

const take = (body: ResponseBody): Pull<TransportError> => {
  const chunks = body.take()
  if (Arr.isReadonlyArrayNonEmpty(chunks)) return Exit.succeed(chunks)
  return body.state._tag === "Failed" ? Exit.fail(fromFailure(body.state.failure)) : Cause.done()
}
