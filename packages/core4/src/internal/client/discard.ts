import * as Effect from "effect/Effect"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Stream from "effect/Stream"
import { originalOf } from "../DerivedResponse.js"
import { HttpResponse } from "./HttpResponse.js"

/** Nobody will read this response: its connection is free for the next request, at once or after a short rest of it. */
export const discard = (response: HttpClientResponse): Effect.Effect<void> => {
  const original = originalOf(response)
  return original instanceof HttpResponse
    ? Effect.sync(() => original.discard())
    // Another client's response: ending its stream is all that the platform offers.
    : Effect.ignore(Stream.runDrain(Stream.take(original.stream, 0)))
}
