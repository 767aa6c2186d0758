import type { Expectation, Matcher } from "./models.js"

/** `on(method, url, ...responders)`, or `on(matcher, ...responders)`. */
export const on = (first: string | Matcher, second: unknown, ...rest: ReadonlyArray<unknown>): Expectation => {
  const [matcher, responders] = typeof first === "string"
    ? [{ method: first, url: second } as Matcher, rest]
    : [first, [second, ...rest]]
  return { matcher, responders, times: { _tag: "Any" } }
}

/** None of them need be met. */
export const stubs = (expectations: ReadonlyArray<Expectation>): ReadonlyArray<Expectation> =>
  expectations.map((expectation) =>
    expectation.times._tag === "Any" ? { ...expectation, times: { _tag: "Optional" } } : expectation
  )

/** The URL stands before those that begin at their path. */
export const baseUrl = (url: string, expectations: ReadonlyArray<Expectation>): ReadonlyArray<Expectation> => {
  const base = url.replace(/\/$/, "")
  return expectations.map((expectation) => {
    const { matcher } = expectation
    if (typeof matcher.url !== "string" || !/^[/?]/.test(matcher.url)) return expectation
    return { ...expectation, matcher: { ...matcher, url: base + matcher.url } }
  })
}
