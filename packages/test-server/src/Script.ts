/**
 * Which request gets which reply.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { ReceivedRequest } from "./ReceivedRequest.js"
import type { Reply } from "./Reply.js"

/**
 * What a handler knows besides the request.
 *
 * @since 0.1.0
 * @category models
 */
export interface Context {
  /** How many requests this route has had before this one. */
  readonly count: number
}

/**
 * Decides a reply by the request. An Effect is run with the live Clock, without the services of the test. A handler
 * that throws or fails responds 500 with the reason.
 *
 * @since 0.1.0
 * @category models
 */
export type Handler = (request: ReceivedRequest, context: Context) => Reply | Effect.Effect<Reply, unknown>

/**
 * A reply for all requests, several for one request after the other (the last one stays), or a function.
 *
 * @since 0.1.0
 * @category models
 */
export type Replies = Reply | ReadonlyArray<Reply> | Handler

/**
 * How requests are received.
 *
 * @since 0.1.0
 * @category models
 */
export interface RouteOptions {
  /**
   * Responds as soon as the head of the request has come, while its body may still be under way. Default false: the
   * whole body is received first. `Reply.echo` is always early.
   */
  readonly early?: boolean | undefined

  /**
   * What `Expect: 100-continue` gets before the reply. Default `"send"`: 100 goes out, unless the reply is early.
   * `"withhold"` sends none and waits for the body.
   */
  readonly expectContinue?: "send" | "withhold" | undefined
}
