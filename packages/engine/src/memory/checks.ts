/** What only a face knows: Effect's durations, and how it prints values. */
export interface Words {
  readonly isTime: (value: unknown) => boolean
  /** Any value as text. */
  readonly show: (value: unknown) => string
}

const ofNetwork = ["dial", "respond", "protocol"]

const ofEndpoint = ["protocol", "capacity", "window", "latency", "bandwidth", "buffer", "closing"]

const ofReply = ["status", "headers", "body", "trailers", "raw", "interim"]

/** What is misspelled would have no effect, and the test would go on without what it is about. */
const known = <A>(what: string, value: A, names: ReadonlyArray<string>, { show }: Words): A => {
  if (typeof value !== "object" || value === null) throw new TypeError(`${show(value)} is no ${what}`)
  for (const name of Object.keys(value)) {
    if (names.includes(name)) continue
    const hint = names === ofReply && /^(json|form|delay|jitter|bytesPerSecond|cutAfter)$/.test(name)
      ? "; it is one of MockHttp's"
      : ""
    throw new TypeError(
      `${name} is nothing that ${names === ofEndpoint ? "an" : "a"} ${what} of MemoryNetwork has: there are ${
        names.join(", ")
      }${hint}`
    )
  }
  return value
}

export const checkOptions = <A>(options: A, words: Words): A => known("network", options, ofNetwork, words)

export const checkReply = <A>(reply: A, words: Words): A => known("reply", reply, ofReply, words)

const isCount = (value: unknown, least: number): boolean =>
  value === Infinity || (Number.isInteger(value) && (value as number) >= least)

/** A wire that nothing passes is not what anybody asked for: a test over it would wait for ever. */
export const checkEndpoint = <A extends object>(endpoint: A, words: Words): A => {
  const { bandwidth, buffer, capacity, latency, protocol, window } = known("endpoint", endpoint, ofEndpoint, words) as {
    readonly [name: string]: unknown
  }
  const check = (name: string, value: unknown, isRight: boolean, expected: string) => {
    if (value === undefined || isRight) return
    throw new TypeError(`${name} of an endpoint of MemoryNetwork is ${words.show(value)}: expected ${expected}`)
  }
  check("protocol", protocol, protocol === "http/1.1" || protocol === "h2", "\"http/1.1\" or \"h2\"")
  check(
    "bandwidth",
    bandwidth,
    typeof bandwidth === "number" && bandwidth > 0,
    "a number of bytes above 0, or Infinity"
  )
  check("buffer", buffer, isCount(buffer, 1), "a number of bytes above 0, or Infinity")
  check("window", window, isCount(window, 0), "a number of bytes, or Infinity")
  check("capacity", capacity, isCount(capacity, 0), "a number of streams, or Infinity")
  check("latency", latency, words.isTime(latency), "a time, as \"20 millis\"")
  return endpoint
}
