import * as HttpBody from "@effect/platform/HttpBody"
import * as Inspectable from "effect/Inspectable"
import type * as Stream from "effect/Stream"

/** A stream that begins anew each time that it is run, as that of a file: it can be sent again. */
export class ReopenableBody extends Inspectable.Class implements HttpBody.Stream {
  readonly [HttpBody.TypeId]: HttpBody.TypeId = HttpBody.TypeId
  readonly _tag = "Stream"

  constructor(
    readonly stream: Stream.Stream<Uint8Array, unknown>,
    readonly contentType: string,
    readonly contentLength: number | undefined,
    readonly isReplayable = true
  ) {
    super()
  }

  toJSON(): unknown {
    const { _tag, contentLength, contentType } = this
    return { _id: "@effect/platform/HttpBody", _tag, contentType, contentLength }
  }
}

export const isReopenable = (body: HttpBody.HttpBody): boolean => body instanceof ReopenableBody && body.isReplayable
