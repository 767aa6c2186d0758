/**
 * JSON values that come one a line, as logs and streaming APIs send them.
 *
 * @since 0.1.0
 */
import { Lines, TooLarge } from "@sluice/engine/client"
import * as optionTable from "@sluice/engine/options"
import { identity } from "effect/Function"
import * as Result from "effect/Result"
import type * as Stream from "effect/Stream"
import { type Decoder, decodeStream } from "./internal/decodeStream.js"
import { PrintableError } from "./internal/printable.js"
import { check } from "./InvalidOptions.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The longest line, in characters. Default 1,048,576. */
  readonly maxLineSize?: number | undefined
}

/**
 * A line is no JSON, or is longer than `maxLineSize`. What it says is not shown: it may be somebody's secret.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidLine extends PrintableError("InvalidLine")<{
  /** 1 for the first. */
  readonly line: number
  readonly reason: "NotJson" | "TooLarge"
  readonly limit?: number | undefined
}> {
  override get message(): string {
    return this.reason === "NotJson"
      ? `Line ${this.line} of the response is not JSON`
      : `Line ${this.line} of the response is longer than ${this.limit} characters (maxLineSize)`
  }
}

/**
 * The values of a body, each as soon as its line is complete. Empty lines count for nothing; the last line needs no end.
 * Leaving the stream abandons the response.
 *
 * @example
 * ```ts
 * import * as HttpClient from "effect/http/HttpClient"
 * import * as JsonLines from "@sluice/core4/JsonLines"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const program = HttpClient.get("http://127.0.0.1:8080/log").pipe(
 *   Effect.flatMap((response) => Stream.runForEach(JsonLines.decode(response.stream), Effect.log))
 * )
 * ```
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  options: Options = {}
): Stream.Stream<unknown, E | InvalidLine, R> => {
  const { maxLineSize } = Result.getOrThrowWith(check(optionTable.jsonLines, options, "JsonLines"), identity)
  return decodeStream(stream, () => new JsonDecoder(maxLineSize), (thrown) => {
    if (thrown instanceof InvalidLine) return thrown
    throw thrown
  })
}

class JsonDecoder implements Decoder<unknown> {
  private readonly lines: Lines
  private count = 0

  constructor(private readonly limit: number) {
    this.lines = new Lines(limit, false)
  }

  *push(bytes: Uint8Array): Generator<unknown> {
    try {
      for (const line of this.lines.push(bytes)) yield* this.parse(line)
    } catch (thrown) {
      throw thrown instanceof TooLarge
        ? new InvalidLine({ line: this.count + 1, reason: "TooLarge", limit: this.limit })
        : thrown
    }
  }

  *end(): Generator<unknown> {
    const line = this.lines.end()
    if (line !== undefined) yield* this.parse(line)
  }

  private *parse(line: string): Generator<unknown> {
    this.count++
    if (line.trim() === "") return
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      throw new InvalidLine({ line: this.count, reason: "NotJson" })
    }
    yield value
  }
}
