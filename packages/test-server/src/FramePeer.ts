/**
 * A peer that speaks HTTP/2 frame by frame, as the test says: any frame at any time, malformed ones too.
 *
 * @since 0.1.0
 */
import * as table from "@sluice/engine/options"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { checked } from "./internal/checked.js"
import * as internal from "./internal/frames/peer.js"
import type { FramePeer, Options } from "./internal/frames/peer.js"

/**
 * @since 0.1.0
 * @category models
 */
export type { Connection, ConnectionStats, FramePeer, Options } from "./internal/frames/peer.js"

/**
 * Starts a peer on a free loopback port. When the scope ends, all of its connections are broken off.
 *
 * @example
 * ```ts
 * import { Frame, FramePeer } from "@sluice/test-server"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const peer = yield* FramePeer.make()
 *   // ... let a client send a request to peer.url
 *   const connection = yield* peer.accept
 *   const request = yield* connection.take("Headers")
 *   yield* connection.send(
 *     Frame.headers(request.streamId, [[":status", "200"]]),
 *     Frame.data(request.streamId, "half a response"),
 *     Frame.goAway({ lastStreamId: request.streamId })
 *   )
 *   yield* connection.close("reset")
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<FramePeer, never, Scope.Scope> =>
  Effect.suspend(() => internal.make(checked("FramePeer", table.framePeer, options)))
