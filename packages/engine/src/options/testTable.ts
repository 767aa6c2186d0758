import { choice, duration, either, flag, group, list, optional, type Rule, whole } from "./Option.js"

// The options of what tests are written with.

/** An Effect, a Layer or a Stream of whatever version. */
const pipeable = { _tag: "Methods", names: ["pipe"] } as const

const saysWhat: Rule = (all) =>
  all["layer"] === undefined ? { option: "layer", expected: "the Layer of what the actors use" } : undefined

/** What `Interleavings.explore` takes. */
export const interleavings = group({
  layer: optional(pipeable, { sentence: "What the actors use, built anew each time." }),
  actors: list(pipeable, [], { sentence: "What runs at the same time, each in a fiber of its own." }),
  check: optional(pipeable, { sentence: "Succeeds when nothing is left." }),
  random: whole("orders", 100, {
    most: Number.MAX_SAFE_INTEGER,
    sentence: "How many random orders are played besides interrupting each actor at each step."
  }),
  seed: whole("", 0, { most: Number.MAX_SAFE_INTEGER, sentence: "That of the first random order." })
}, [saysWhat])

const address = {
  host: optional<string>({ _tag: "Text" }, { sentence: "The address to listen on." }),
  port: whole("", 0, { most: 65_535, sentence: "0: any free port." })
}

const object = { _tag: "Object" } as const

const tlsOfServer = {
  tls: either<unknown>([{ _tag: "Choice", values: [true, false] }, object], false, {
    sentence: "Whether it speaks TLS."
  })
}

/** Bytes a second; `Infinity` is no limit. */
const rate = (sentence: string) =>
  either<number>([{ _tag: "Number", least: 0 }, { _tag: "Choice", values: [Infinity] }], Infinity, { sentence })

/** What `TestServer.make` takes. */
export const testServer = group({
  ...address,
  ...tlsOfServer,
  replies: optional(object, { sentence: "Replies from the start, by route." }),
  unixPath: optional<string>({ _tag: "Text" }, { sentence: "A Unix socket to listen on instead." }),
  http1: flag(true, { sentence: "Whether it speaks HTTP/1.1." }),
  http2: either<unknown>([{ _tag: "Choice", values: [true, false] }, object], false, {
    sentence: "Whether it speaks HTTP/2."
  }),
  readBytesPerSecond: rate("How many bytes a second it reads of each connection."),
  maxRecordedBody: whole("bytes", 1024 * 1024, { sentence: "How much of a body is recorded." }),
  maxRecordedRequests: whole("requests", 10_000, { sentence: "How many requests are recorded." }),
  maxRequestsPerConnection: whole("requests", Infinity, { least: 1, sentence: "How many a connection serves." }),
  keepAliveTimeout: duration(Infinity, { sentence: "Closes a connection that has been idle for that long." }),
  halfOpen: flag(false, { sentence: "Whether a client that has ended its side still gets its reply." }),
  onEvent: optional({ _tag: "Function" }, { sentence: "Notified of each request that has ended." })
})

const anyReplies = { _tag: "Either", kinds: [object, { _tag: "List", item: object }, { _tag: "Function" }] } as const

/** What `TestProxy.make` takes. */
export const testProxy = group({
  ...address,
  ...tlsOfServer,
  credentials: optional(object, { secret: true, sentence: "What it asks for." }),
  routes: optional(object, { sentence: "Where it leads to instead." }),
  connect: optional(anyReplies, { sentence: "What CONNECT gets." }),
  forward: optional(anyReplies, { sentence: "What a request for another host gets." }),
  socks: optional(object, { sentence: "What goes wrong in SOCKS." })
})

const isAim: Rule = (all) => {
  const { host, port } = (all["to"] ?? {}) as { readonly host?: unknown; readonly port?: unknown }
  return typeof host === "string" && host !== "" && Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536
    ? undefined
    : { option: "to", expected: "the host and the port of the server, as { host: \"127.0.0.1\", port: 8080 }" }
}

/** What `FaultProxy.make` takes. */
export const faultProxy = group({
  ...address,
  to: optional(object, { sentence: "The server that it leads to." }),
  plan: optional(anyReplies, { sentence: "What happens to the connections." })
}, [isAim])

const direction = {
  faults: list(object, [], { sentence: "What is done at which offset." }),
  bytesPerSecond: rate("How many bytes a second pass."),
  pieceSize: whole("bytes", Infinity, { least: 1, sentence: "How many bytes are written at once." }),
  delayBetweenPieces: duration(0, { sentence: "Real time before each piece." })
}

/** What a plan of `FaultProxy` says of one connection. */
export const faultPlan = group({
  delay: duration(0, { sentence: "Real time before anything is done." }),
  hold: optional(object, { sentence: "A gate before anything is done." }),
  instead: either<unknown>([{ _tag: "Choice", values: ["silence", "end", "reset"] }], undefined, {
    sentence: "What happens instead of all else."
  }),
  up: group(direction),
  down: group(direction)
})

/** What `FramePeer.make` takes. */
export const framePeer = group({
  ...tlsOfServer,
  port: address.port,
  settings: optional(object, { sentence: "What it sends first." }),
  automatic: list({ _tag: "Choice", values: ["settings", "ping", "windows"] }, ["settings", "ping"], {
    sentence: "What it responds to by itself."
  })
})

/** What a certificate is issued for. */
export const certificate = group({
  names: list<string>({ _tag: "Text" }, [], { sentence: "Host names and addresses that it is good for." }),
  use: choice(["server", "client"], "server", { sentence: "What it is for." }),
  commonName: optional<string>({ _tag: "Text" }, { sentence: "The common name of its subject." }),
  validFrom: optional({ _tag: "Methods", names: ["getTime"] }, { sentence: "Default an hour ago." }),
  validTo: optional({ _tag: "Methods", names: ["getTime"] }, { sentence: "Default in a day." })
})
