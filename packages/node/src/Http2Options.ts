/**
 * How connections that speak HTTP/2 behave.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"

/**
 * All of it has a default.
 *
 * @since 0.1.0
 * @category models
 */
export interface Http2Options {
  /**
   * Speaks HTTP/2 to `http:` origins too, without asking: they must all understand it (RFC 9113 §3.3). Default false.
   */
  readonly priorKnowledge?: boolean | undefined
  /**
   * How many requests a connection carries at once. What the server allows (`SETTINGS_MAX_CONCURRENT_STREAMS`) holds
   * where it is less. Default 100.
   */
  readonly maxConcurrentStreams?: number | undefined
  /**
   * How much of one answer a server may send before it is read, in bytes (`SETTINGS_INITIAL_WINDOW_SIZE`). It bounds
   * the memory that an answer nobody reads takes, and the speed over a long way. Default 1 MiB.
   */
  readonly initialWindowSize?: number | undefined
  /**
   * The same for all answers of a connection together. It is given back as bytes arrive, so that an answer that nobody
   * reads does not hold up the others. Default 16 MiB.
   */
  readonly connectionWindowSize?: number | undefined
  /**
   * The largest head of an answer, in bytes as RFC 9113 §6.5.2 counts them: each field 32 more than its name and value.
   * Default 64 KiB.
   */
  readonly maxHeaderListSize?: number | undefined
  /**
   * How long the server may send nothing at all, while requests are under way, until it is asked whether it is still
   * there (PING). Some servers take pings amiss that come more often than every five minutes. Default `"Infinity"`:
   * never; after a `ReadTimeout` or `WriteTimeout` it is asked in any case, unless something was read since.
   */
  readonly pingInterval?: Duration.DurationInput | "Infinity" | undefined
  /**
   * How long the server may take to answer that. Until then the connection takes no new request, after that it is
   * closed and its requests fail. Default 5 seconds.
   */
  readonly pingTimeout?: Duration.DurationInput | "Infinity" | undefined
  /**
   * Whether an `https:` origin that has no connection may use one that is open to another origin, at no cost in permits
   * (RFC 9113 §9.1.1): its certificate covers the origin's host, and it goes to an address and a port of that origin.
   * A server that answers 421 (Misdirected Request) to what comes this way is asked again over a connection of its
   * origin's own, unless the body cannot be sent twice, and from then on the two are kept apart. Not with `socketPath`,
   * `tls.servername` or `tls.rejectUnauthorized: false`. Default false.
   */
  readonly coalescing?: boolean | undefined
  /**
   * What carries HTTP/2 connections: Sluice's own implementation, or that of `node:http2`. Default `"node"`, until the
   * own one has proved itself.
   */
  readonly engine?: "own" | "node" | undefined
}

/**
 * The same, complete, with durations in milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Resolved {
  readonly priorKnowledge: boolean
  readonly maxConcurrentStreams: number
  readonly initialWindowSize: number
  readonly connectionWindowSize: number
  readonly maxHeaderListSize: number
  readonly pingInterval: number
  readonly pingTimeout: number
  readonly coalescing: boolean
  readonly engine: "own" | "node"
}

/**
 * An option makes no sense. Nothing was built.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidHttp2Options extends Data.TaggedError("InvalidHttp2Options")<{
  readonly option: string
  readonly value: unknown
  /** What would be right. */
  readonly expected: string
}> {
  override get message(): string {
    return `http2.${this.option} is ${String(this.value)}: expected ${this.expected}`
  }
}

/**
 * What is used where nothing is given.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaults: Resolved = {
  priorKnowledge: false,
  maxConcurrentStreams: 100,
  initialWindowSize: 1024 * 1024,
  connectionWindowSize: 16 * 1024 * 1024,
  maxHeaderListSize: 64 * 1024,
  pingInterval: Infinity,
  pingTimeout: 5000,
  coalescing: false,
  engine: "node"
}

/** A window of HTTP/2 is smaller than this (RFC 9113 §6.9.1), and that of a connection never smaller than the default. */
const maxWindow = 2 ** 31 - 1
const initialConnectionWindow = 65_535

/**
 * Checks options; what they leave open gets its default.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolve = (options: Http2Options = {}): Either.Either<Resolved, InvalidHttp2Options> =>
  Either.gen(function*() {
    return {
      priorKnowledge: options.priorKnowledge ?? defaults.priorKnowledge,
      maxConcurrentStreams: yield* integer(options, "maxConcurrentStreams", 1, maxWindow),
      initialWindowSize: yield* integer(options, "initialWindowSize", 0, maxWindow),
      connectionWindowSize: yield* integer(options, "connectionWindowSize", initialConnectionWindow, maxWindow),
      maxHeaderListSize: yield* integer(options, "maxHeaderListSize", 0, 2 ** 32 - 1),
      pingInterval: yield* duration(options, "pingInterval"),
      pingTimeout: yield* duration(options, "pingTimeout"),
      coalescing: options.coalescing ?? defaults.coalescing,
      engine: yield* engine(options)
    }
  })

type Integers = "maxConcurrentStreams" | "initialWindowSize" | "connectionWindowSize" | "maxHeaderListSize"

const integer = (
  options: Http2Options,
  option: Integers,
  least: number,
  most: number
): Either.Either<number, InvalidHttp2Options> => {
  const value = options[option] ?? defaults[option]
  return Number.isInteger(value) && value >= least && value <= most
    ? Either.right(value)
    : Either.left(new InvalidHttp2Options({ option, value, expected: `a whole number from ${least} to ${most}` }))
}

const engine = ({ engine = defaults.engine }: Http2Options): Either.Either<"own" | "node", InvalidHttp2Options> =>
  engine === "own" || engine === "node"
    ? Either.right(engine)
    : Either.left(new InvalidHttp2Options({ option: "engine", value: engine, expected: `"own" or "node"` }))

const duration = (
  options: Http2Options,
  option: "pingInterval" | "pingTimeout"
): Either.Either<number, InvalidHttp2Options> => {
  const value = options[option]
  if (value === undefined) return Either.right(defaults[option])
  if (value === "Infinity") return Either.right(Infinity)
  const millis = Duration.decodeUnknown(value)
  return millis._tag === "Some" && Duration.toMillis(millis.value) > 0
    ? Either.right(Duration.toMillis(millis.value))
    : Either.left(new InvalidHttp2Options({ option, value, expected: `a duration, as in "5 seconds", or "Infinity"` }))
}
