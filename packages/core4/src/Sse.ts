/**
 * Server-sent events, as the WHATWG standard defines them: what browsers read with `EventSource`, and how language models
 * stream their tokens.
 *
 * @since 0.1.0
 */
import { EventDecoder, type Memory, type ServerSentEvent, TooLarge } from "@sluice/engine/client"
import * as optionTable from "@sluice/engine/options"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Headers from "effect/http/Headers"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { discard } from "./internal/client/discard.js"
import { decodeStream } from "./internal/decodeStream.js"
import { PrintableError } from "./internal/printable.js"
import { pulled } from "./internal/pulled.js"
import { check, once } from "./InvalidOptions.js"
import * as Timeouts from "./Timeouts.js"

/**
 * @since 0.1.0
 * @category models
 */
export type { ServerSentEvent } from "@sluice/engine/client"

/**
 * An event is larger than `maxEventSize`.
 *
 * @since 0.1.0
 * @category errors
 */
export class EventTooLarge extends PrintableError("EventTooLarge")<{
  /** In characters. */
  readonly maxEventSize: number
}> {
  override get message(): string {
    return `An event of the stream is larger than ${this.maxEventSize} characters (maxEventSize)`
  }
}

/**
 * The response is no event stream: its status is not 200, or its type is not `text/event-stream`. Its body is there to be
 * read: it says what was wrong.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotAnEventStream extends PrintableError("NotAnEventStream")<{
  readonly response: HttpClientResponse
}> {
  override get message(): string {
    const { headers, request, status } = this.response
    const found = status === 200
      ? `its content type is ${headers["content-type"] ?? "not given"}, and should be text/event-stream`
      : `its status is ${status}, and should be 200`
    return `The response is no event stream: ${found} (${request.method} ${request.url})`
  }
}

/**
 * @since 0.1.0
 * @category models
 */
export interface DecodeOptions {
  /** The largest event, in characters. Default 1,048,576. */
  readonly maxEventSize?: number | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options<R = never> extends DecodeOptions {
  /**
   * When to connect again after the connection has broken or the server has ended the stream, with the last id as
   * `Last-Event-ID`. No pause is shorter than the server's `retry`. The schedule begins anew with each connection that
   * brings an event. Default: not at all, as is right for a POST.
   */
  readonly reconnect?: Schedule.Schedule<unknown, unknown, never, R> | undefined
  /** Where to go on from, as if this id had been received. */
  readonly lastEventId?: string | undefined
  /** How long the server may take for the response's headers. Default: `timeouts.headers`. */
  readonly firstByte?: Duration.Input | undefined
  /** How long the server may be silent then; comments are no silence. `ReadTimeout`. Default `"Infinity"`. */
  readonly silence?: Duration.Input | "Infinity" | undefined
}

/**
 * The events of a body, each as soon as its blank line is there.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  options?: DecodeOptions
): Stream.Stream<ServerSentEvent, E | EventTooLarge, R> =>
  decodeWith(stream, { lastEventId: "", retry: undefined }, options)

const decodeWith = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  memory: Memory,
  options: DecodeOptions = {}
): Stream.Stream<ServerSentEvent, E | EventTooLarge, R> => {
  const { maxEventSize } = checked(options)
  return decodeStream(stream, () => new EventDecoder(memory, maxEventSize), (thrown) => {
    if (thrown instanceof TooLarge) return new EventTooLarge({ maxEventSize })
    throw thrown
  })
}

const checkOptions = once((given) => check(optionTable.events, given, "Sse"))

/** No id is as good as none. */
const checked = <R>(options: Options<R>) =>
  Result.getOrThrowWith(
    checkOptions(options?.lastEventId === "" ? { ...options, lastEventId: undefined } : options),
    identity
  )

/**
 * Sends a request and gives the events of its response. Leaving the stream, or an interrupt, abandons the response.
 *
 * With `reconnect` it goes on over new connections, until the schedule ends or the server responds with 204. A response that is
 * no event stream ends it with `NotAnEventStream`: put `Retry.safely` on the client for a server that is restarting.
 *
 * @example
 * ```ts
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as HttpClientRequest from "effect/http/HttpClientRequest"
 * import * as Sse from "@sluice/core4/Sse"
 * import * as Effect from "effect/Effect"
 * import * as Schedule from "effect/Schedule"
 * import * as Stream from "effect/Stream"
 *
 * const program = Effect.flatMap(HttpClient.HttpClient, (client) =>
 *   Sse.stream(client, HttpClientRequest.get("http://127.0.0.1:8080/events"), {
 *     silence: "1 minute",
 *     reconnect: Schedule.spaced("1 second")
 *   }).pipe(Stream.runForEach(({ data }) => Effect.log(data))))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const stream = <E, R, R2 = never>(
  client: HttpClient.HttpClient.With<E, R>,
  request: HttpClientRequest.HttpClientRequest,
  options: Options<R2> = {}
): Stream.Stream<ServerSentEvent, E | StreamError | EventTooLarge | NotAnEventStream, R | R2> => {
  checked(options)
  return Stream.suspend(() => {
    const memory: Memory = { lastEventId: options.lastEventId ?? "", retry: undefined }
    const connect = Effect.suspend(() => open(client, withLastId(request, memory.lastEventId), options)).pipe(
      Effect.map(Option.map((response) => decodeWith(response.stream, memory, options)))
    )
    return options.reconnect === undefined
      ? Stream.unwrap(Effect.map(connect, Option.getOrElse(() => Stream.empty)))
      : reconnecting(connect, memory, options.reconnect)
  })
}

type StreamError = Stream.Error<HttpClientResponse["stream"]>

/** A connection whose events end when it breaks, one after the other. */
const reconnecting = <E, E2, R, R2>(
  connect: Effect.Effect<Option.Option<Stream.Stream<ServerSentEvent, E>>, NoInfer<E> | E2, R>,
  memory: Memory,
  schedule: Schedule.Schedule<unknown, unknown, never, R2>
): Stream.Stream<ServerSentEvent, E | E2, R | R2> =>
  Stream.suspend(() => {
    const pauses = new Pauses(schedule, memory)
    /** How the last connection ended; none before the first. */
    let last: Option.Option<E | E2> | undefined = undefined
    const pause: Effect.Effect<void, E | E2 | Cause.Done, R2> = Effect.suspend(() => {
      const failed = last
      return failed === undefined
        ? Effect.void
        // When the schedule ends, so does the stream, as the last connection did.
        : Effect.catch(
          pauses.next(Option.getOrUndefined(failed)),
          (): Effect.Effect<never, E | E2 | Cause.Done> =>
            Option.isNone(failed) ? Cause.done() : Effect.fail(failed.value)
        )
    })
    const next: Effect.Effect<Stream.Stream<ServerSentEvent, E>, E | E2 | Cause.Done, R | R2> = Effect.andThen(
      pause,
      Effect.matchEffect(connect, {
        onFailure: (error): Effect.Effect<Stream.Stream<ServerSentEvent, E>, E | E2 | Cause.Done, R | R2> => {
          if (!isBroken(error)) return Effect.fail(error)
          last = Option.some(error)
          return Effect.suspend(() => next)
        },
        onSuccess: (events) => {
          last = Option.none()
          return Option.isNone(events) ? Cause.done() : Effect.succeed(events.value)
        }
      })
    )
    return Stream.flatMap(pulled(next), (events): Stream.Stream<ServerSentEvent, E> => {
      let isFirst = true
      return events.pipe(
        Stream.map((event) => {
          if (isFirst) pauses.reset()
          isFirst = false
          return event
        }),
        Stream.catch((error) => {
          if (!isBroken(error)) return Stream.fail(error)
          last = Option.some(error)
          return Stream.empty
        })
      )
    })
  })

/** The pauses of a schedule, none shorter than the server says. */
class Pauses<R> {
  private step: Effect.Success<ReturnType<typeof Schedule.toStep<unknown, unknown, never, R>>> | undefined = undefined

  constructor(
    private readonly schedule: Schedule.Schedule<unknown, unknown, never, R>,
    private readonly memory: Memory
  ) {}

  /** Waits; fails when the schedule has ended. */
  next(input: unknown): Effect.Effect<void, Cause.Done<unknown>, R> {
    return Effect.gen({ self: this }, function*() {
      const step = this.step ??= yield* Schedule.toStep(this.schedule)
      // eslint-disable-next-line no-restricted-syntax
      const [, delay] = yield* step(yield* Clock.currentTimeMillis, input)
      yield* Effect.sleep(Duration.max(delay, Duration.millis(this.memory.retry ?? 0)))
    })
  }

  reset(): void {
    this.step = undefined
  }
}

/** What another connection may mend; a response that is wrong stays wrong. */
const isBroken = (error: unknown): boolean => !(error instanceof EventTooLarge || error instanceof NotAnEventStream)

/** None: the server asks not to be asked again (204). */
const open = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  request: HttpClientRequest.HttpClientRequest,
  { firstByte, silence = "Infinity" }: Pick<Options, "firstByte" | "silence">
): Effect.Effect<Option.Option<HttpClientResponse>, E | NotAnEventStream, R> =>
  client.execute(request).pipe(
    Timeouts.locally(firstByte === undefined ? { read: silence } : { read: silence, headers: firstByte }),
    // `headers` alone bounds the first byte: a silence between events is not what a model needs for its first one.
    Effect.updateService(Timeouts.current, (timeouts) => ({ ...timeouts, firstByte: Infinity })),
    Effect.flatMap((response) =>
      response.status === 204
        ? Effect.as(discard(response), Option.none())
        : isEventStream(response)
        ? Effect.succeed(Option.some(response))
        : Effect.fail(new NotAnEventStream({ response }))
    )
  )

const isEventStream = ({ headers, status }: HttpClientResponse): boolean =>
  status === 200 && /^text\/event-stream\s*(;|$)/i.test(headers["content-type"] ?? "")

const withLastId = (
  request: HttpClientRequest.HttpClientRequest,
  lastEventId: string
): HttpClientRequest.HttpClientRequest => {
  const added: Record<string, string> = Headers.has(request.headers, "accept") ? {} : { accept: "text/event-stream" }
  if (!Headers.has(request.headers, "cache-control")) added["cache-control"] = "no-store"
  // Header values are octets: an id goes out as the UTF-8 that it came as.
  if (lastEventId !== "") added["last-event-id"] = String.fromCharCode(...new TextEncoder().encode(lastEventId))
  return HttpClientRequest.setHeaders(request, added)
}
