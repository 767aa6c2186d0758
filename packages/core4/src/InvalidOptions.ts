/**
 * The error of options that make no sense, and the check that finds them.
 *
 * @since 0.1.0
 */
import * as options from "@sluice/engine/options"
import * as Result from "effect/Result"
import { toMillis } from "./internal/duration.js"
import { PrintableError } from "./internal/printable.js"

/**
 * What is wrong with one option: its name (`UnknownOption`), or its value (`InvalidValue`). Neither shows the value of an
 * option that is secret, such as `tls.key`, or of a name that is not an option.
 *
 * @since 0.1.0
 * @category models
 */
export type Problem = options.Problem

/**
 * Options have wrong names or values. Nothing was built. It lists all that is wrong with them, each with what would be
 * right.
 *
 * @example
 * ```ts
 * import { HttpClientLayer } from "@sluice/node4"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * // Prints "timeouts.pool is -1: expected a duration that is not negative, …".
 * const Client = HttpClientLayer.layer({ timeouts: { pool: -1 } }).pipe(
 *   Layer.tapError((error) => Effect.logError(error.message))
 * )
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidOptions extends PrintableError("InvalidOptions")<{
  readonly problems: ReadonlyArray<Problem>
}> {
  override get message(): string {
    return options.describeAll(this.problems)
  }
}

/**
 * Checks an object of options against a table of the engine, and fills in what it leaves open: from `base`, by default
 * the defaults of the table. Durations become milliseconds. It is for packages that bring options of their own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const check = <F extends options.Fields>(
  group: options.Group<F>,
  given: unknown,
  path?: string,
  base?: options.Resolved<F>
): Result.Result<options.Resolved<F>, InvalidOptions> => toResult(options.check(group, given, { toMillis, path }, base))

/**
 * The same without filling anything in.
 *
 * @since 0.1.0
 * @category constructors
 */
export const checkGiven = <F extends options.Fields>(
  group: options.Group<F>,
  given: unknown,
  path?: string
): Result.Result<Partial<options.Resolved<F>>, InvalidOptions> =>
  toResult(options.checkGiven(group, given, { toMillis, path }))

/**
 * A check that looks at each object once, for options that are given with a request.
 *
 * @since 0.1.0
 * @category combinators
 */
export const once = <A>(
  check: (given: unknown) => Result.Result<A, InvalidOptions>
): (given: unknown) => Result.Result<A, InvalidOptions> => {
  const results = new WeakMap<object, Result.Result<A, InvalidOptions>>()
  return (given) => {
    if (typeof given !== "object" || given === null) return check(given)
    const known = results.get(given)
    if (known !== undefined) return known
    const result = check(given)
    results.set(given, result)
    return result
  }
}

/**
 * An argument as it was given, if it is right; else `InvalidOptions`, which names it, is thrown where it was given, and not
 * what would have come of it later.
 *
 * @since 0.1.0
 * @category constructors
 */
export const argument = <A>(
  name: string,
  value: A,
  isRight: (value: unknown) => boolean,
  expected: string,
  secret = false
): A => {
  if (isRight(value)) return value
  const received = options.show(value, secret)
  throw new InvalidOptions({ problems: [{ _tag: "InvalidValue", option: name, received, expected }] })
}

/**
 * Reads an option that is written as text, as in an environment variable. What is wrong says what would be right.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = <A>(option: options.Option<A>, text: string): Result.Result<A, string> => {
  const value = options.parse(option, text, toMillis)
  return value === options.invalid
    ? Result.fail(`Expected ${options.expected(option.kind)}, got ${options.show(text, option.secret)}`)
    : Result.succeed(value)
}

const toResult = <A>(checked: options.Checked<A>): Result.Result<A, InvalidOptions> =>
  checked._tag === "Valid" ? Result.succeed(checked.value) : Result.fail(new InvalidOptions(checked))
