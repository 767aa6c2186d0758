import * as HttpBody from "effect/http/HttpBody"
import type * as Stream from "effect/Stream"

/** A stream that begins anew each time that it is run, as that of a file: it can be sent again. */
export class ReopenableBody extends HttpBody.Stream {
  constructor(
    stream: Stream.Stream<Uint8Array, unknown>,
    contentType: string,
    contentLength: number | undefined,
    readonly isReplayable = true
  ) {
    super(stream, contentType, contentLength)
  }

  override toJSON(): unknown {
    const { _tag, contentLength, contentType } = this
    return { _id: "effect/HttpBody", _tag, contentType, contentLength }
  }
}

export const isReopenable = (body: HttpBody.HttpBody): boolean => body instanceof ReopenableBody && body.isReplayable
