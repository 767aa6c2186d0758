import type { Kind } from "./Kind.js"
import { choice, duration, either, flag, group, list, number, optional, switched, whole } from "./Option.js"
import type { Resolved as ResolvedFields, Rule } from "./Option.js"
import type { limits } from "./poolTable.js"
import { originLimits, pool, timeouts } from "./poolTable.js"
import { tls } from "./tlsTable.js"

export { limits, originLimits, pool, timeouts } from "./poolTable.js"

export { tls }

/** What `PooledHttpClient.make` takes. */
export const client = group({
  timeouts,
  maxBufferedBody: whole("bytes", 256 * 1024, {
    variable: "MAX_BUFFERED_BODY",
    sentence: "How much of a body is kept for a reader that has not come yet, or is slow."
  }),
  maxDiscardedBody: whole("bytes", 64 * 1024, {
    variable: "MAX_DISCARDED_BODY",
    sentence: "How much of a body that nobody wants is read and thrown away to keep its connection."
  }),
  maxResponseSize: whole("bytes", Infinity, {
    variable: "MAX_RESPONSE_SIZE",
    sentence: "The largest body of a response. A larger one fails with `ResponseTooLarge`."
  }),
  expectContinueTimeout: duration(1000, {
    variable: "EXPECT_CONTINUE_TIMEOUT",
    sentence: "How long a request with `Expect: 100-continue` waits for the server before it sends its body anyway."
  }),
  onInformational: optional({ _tag: "Function" }, {
    sentence: "Called for interim responses such as 103 Early Hints."
  }),
  redactPath: optional({ _tag: "Function" }, { sentence: "What may be shown of a path." })
})

/** What `PooledHttpClient.layer` takes. */
export const pooledClient = group({ ...pool.fields, ...client.fields })

/** A window of HTTP/2 is no larger than this (RFC 9113 §6.9.1), and that of a connection never smaller than the default. */
const maxWindow = 2 ** 31 - 1
const initialConnectionWindow = 65_535

/** What `http2` takes instead of an object. */
const http2Mode = choice([true, false, "prior-knowledge"], true, {
  variable: "HTTP2",
  sentence: "Whether HTTP/2 is spoken: to `https:` origins that choose it, to none, or to `http:` origins as well."
})

export const http2 = switched(http2Mode, {
  priorKnowledge: flag(false, { sentence: "Speaks it to `http:` origins without asking." }),
  maxConcurrentStreams: whole("requests", 100, {
    least: 1,
    most: maxWindow,
    variable: "HTTP2_MAX_CONCURRENT_STREAMS",
    sentence: "How many requests a connection carries at once, or what the server allows if that is less."
  }),
  initialWindowSize: whole("bytes", 256 * 1024, {
    // With nothing in it no content would ever come.
    least: 1,
    most: maxWindow,
    variable: "HTTP2_INITIAL_WINDOW_SIZE",
    sentence: "How much of one response the server may send before it is read, at first; it grows for fast readers. " +
      "Default: `maxBufferedBody`, but at least 16 KiB and at most 1 MiB."
  }),
  connectionWindowSize: whole("bytes", 16 * 1024 * 1024, {
    least: initialConnectionWindow,
    most: maxWindow,
    variable: "HTTP2_CONNECTION_WINDOW_SIZE",
    sentence: "The same for all responses of a connection together."
  }),
  maxBufferedBytes: whole("bytes", 128 * 1024 * 1024, {
    variable: "HTTP2_MAX_BUFFERED_BYTES",
    sentence: "How much may wait for its readers, over all connections. Near it servers may send less ahead."
  }),
  pingInterval: duration(Infinity, {
    least: 1,
    variable: "HTTP2_PING_INTERVAL",
    sentence: "How long nothing may come while requests are under way until the server is sent a PING."
  }),
  pingTimeout: duration(5000, {
    least: 1,
    variable: "HTTP2_PING_TIMEOUT",
    sentence: "How long the server may take to acknowledge a PING."
  }),
  coalescing: flag(false, {
    variable: "HTTP2_COALESCING",
    sentence: "Whether an `https:` origin may use a connection that is open to another one."
  })
})

const text: Kind = { _tag: "Text" }

/** What `proxy` takes instead of an object. */
const proxyOrFunction = either<unknown>([text, { _tag: "Function" }], "environment", {
  secret: true,
  sentence:
    "The proxy for all requests, or a function of their URL; `\"environment\"`: what `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say; `\"none\"`."
})

export const proxy = switched(proxyOrFunction, {
  url: optional(text, { secret: true, sentence: "The URL of the proxy: `http:`, `https:`, `socks5:` or `socks5h:`." }),
  username: optional(text, { secret: true, sentence: "Who we are to the proxy." }),
  password: optional(text, { secret: true, sentence: "The password of `username`." }),
  headers: either<unknown>([{ _tag: "Object" }, { _tag: "Function" }], undefined, {
    sentence: "Header fields for the proxy, or a function of the URL that makes them."
  }),
  tls,
  noProxy: either<unknown>([text, { _tag: "List", item: text }], undefined, {
    sentence: "Hosts that are reached without it, as `NO_PROXY` lists them."
  })
})

const addresses: Kind = { _tag: "List", item: text }

export const addressPolicy = switched(
  either<unknown>([{ _tag: "Choice", values: ["public-only"] }], undefined, {
    sentence: "Which addresses may be reached: for URLs that come from somebody else."
  }),
  {
    publicOnly: flag(false, { sentence: "Public addresses of the Internet only." }),
    allow: either<unknown>([addresses], undefined, {
      sentence: "Names, addresses, ranges and paths that may be reached: besides public ones, or else only these."
    }),
    deny: either<unknown>([addresses], undefined, { sentence: "Those that never may." }),
    check: optional({ _tag: "Function" }, { sentence: "Asked about what the lists allow." }),
    throughProxy: either<unknown>([{ _tag: "Choice", values: ["literals-only", "resolve-here"] }], undefined, {
      sentence: "How it is judged what is behind a proxy: by what the URL says, or by looking names up here."
    })
  }
)

/** Behind a proxy there is nothing to judge but what the URL says, which has to be wanted. */
const saysHowToJudge: Rule = ({ proxy }, { addressPolicy: policy }) => {
  if (policy === undefined || proxy === undefined || proxy === "environment" || proxy === "none") return undefined
  const through = typeof policy === "object" && policy !== null && "throughProxy" in policy
    ? policy.throughProxy
    : undefined
  return through === undefined
    ? {
      option: "addressPolicy",
      expected: "throughProxy to be set where there is a proxy (\"literals-only\" or \"resolve-here\")"
    }
    : undefined
}

/** What can be said for one origin alone. */
const byOrigin = {
  tls,
  proxy,
  addressPolicy,
  resolve: either<unknown>(
    [{ _tag: "Choice", values: ["system", "dns"] }, { _tag: "Object" }, { _tag: "Function" }],
    undefined,
    {
      sentence: "Where hosts lead: as the system has it, as name servers say, by a table, or by a function."
    }
  ),
  lookup: optional({ _tag: "Function" }, {
    sentence: "How host names become addresses, as `net.connect` takes it. Default: the system's resolver."
  }),
  socketPath: optional({ _tag: "Text" }, {
    variable: "SOCKET_PATH",
    sentence: "The path of a Unix socket (a named pipe on Windows) to connect to instead of any host."
  }),
  localAddress: optional({ _tag: "Text" }, { sentence: "The address of this machine to connect from." }),
  family: either<unknown>([{ _tag: "Choice", values: [4, 6] }], undefined, {
    sentence: "The only kind of addresses to connect to."
  }),
  keepAliveDelay: duration(60_000, {
    least: 1000,
    sentence: "How long a TCP connection is silent until the system asks whether the other side still lives."
  }),
  keepAliveInterval: optional<number>({ _tag: "Duration", least: 1000 }, {
    sentence:
      "After how long the system asks again when nothing comes back, where Node can set it. Default: the system's."
  }),
  noDelay: flag(true, { sentence: "Whether small writes are sent at once (TCP_NODELAY)." })
} as const

/** What `origins` takes for one of them. */
export const origin = group({ ...byOrigin, limits: originLimits, timeouts }, [saysHowToJudge])

/** What a connector over sockets takes. */
export const connector = group({
  ...byOrigin,
  http2,
  origins: either<unknown>([{ _tag: "Object" }, { _tag: "Function" }], undefined, {
    sentence: "Options of origins, by origin or host, or a function of the URL; laid over those of the layer."
  }),
  maxHeaderSize: whole("bytes", 256 * 1024, {
    // Where it is SETTINGS_MAX_HEADER_LIST_SIZE.
    most: 2 ** 32 - 1,
    variable: "MAX_HEADER_SIZE",
    sentence: "The largest header section of a response, its head or its trailers."
  }),
  maxInformationalSize: whole("bytes", 256 * 1024, {
    variable: "MAX_INFORMATIONAL_SIZE",
    sentence: "How much all interim responses (1xx) before a response may be together."
  }),
  reuseAfterNoContent: choice(["quarantine", "close", "always"], "quarantine", {
    variable: "REUSE_AFTER_NO_CONTENT",
    sentence: "What becomes of an HTTP/1.1 connection after a 204, 205 or 304, whose body a wrong server may yet send."
  })
}, [saysHowToJudge])

export const decompress = switched(
  choice([true, false], true, {
    variable: "DECOMPRESS",
    sentence: "Whether compressed responses are asked for and decoded."
  }),
  {
    maxSize: whole("bytes", Infinity, { sentence: "The largest body after decoding." }),
    maxRatio: number(250, { sentence: "How many bytes may come of one that arrived." })
  }
)

/** What `ConnectionPool.acquire` takes besides the origin. */
export const acquire = group({
  timeout: optional<number>({ _tag: "Duration", least: 0 }, {
    sentence: "How long to wait for a connection. Default: the pool's `timeouts.pool`."
  })
})

/** What `ConnectionPool.warm` takes besides the origin. */
export const warm = group({
  count: whole("connections", 1, { sentence: "How many connections there are to be." })
})

export const redirects = group({
  maxRedirects: whole("redirects", 20, { sentence: "How many redirects in a row are followed." }),
  allowHeaders: list<string>({ _tag: "Text" }, [], {
    sentence: "Request headers that may go along to another origin, besides those that are known to be harmless."
  }),
  bodiesAcrossOrigins: flag(false, {
    sentence: "Whether a 307 or 308 to another origin takes the request's body along."
  }),
  onRedirect: optional({ _tag: "Function" }, { sentence: "Asked before each redirect." })
})

export const retry = group({
  times: whole("retries", 3, { sentence: "How many times a request is sent again at most." }),
  base: duration(100, { sentence: "The longest pause before the first retry; it doubles with each." }),
  cap: duration(10_000, { sentence: "The longest pause of all." }),
  attempt: duration(Infinity, { sentence: "How long each attempt may take, with the body of its response." }),
  maxRetryAfter: duration(30_000, { sentence: "How long a pause a server may ask for." }),
  statuses: list<number>({ _tag: "Whole", least: 100, most: 599 }, [408, 425, 429, 500, 502, 503, 504], {
    sentence: "Which responses are worth a retry."
  }),
  refusals: list<number>({ _tag: "Whole", least: 100, most: 599 }, [425], {
    sentence: "By which statuses the server says that it has not acted on the request."
  }),
  budget: optional({ _tag: "Methods", names: ["deposit", "withdraw"] }, { sentence: "What retries are spent from." })
})

/** What `Sse.stream` takes. */
export const events = group({
  maxEventSize: whole("characters", 1024 * 1024, { least: 1, sentence: "The largest event." }),
  reconnect: optional({ _tag: "Methods", names: ["pipe"] }, {
    sentence: "When to connect again after the connection has broken, as a Schedule."
  }),
  lastEventId: optional<string>({ _tag: "Text" }, { sentence: "Where to go on from." }),
  firstByte: optional<number>({ _tag: "Duration", least: 0 }, {
    sentence: "How long the server may take for the headers of the response. Default: `timeouts.headers`."
  }),
  silence: duration(Infinity, { sentence: "How long the server may be silent between its bytes." })
})

/** What `JsonLines.decode` takes. */
export const jsonLines = group({
  maxLineSize: whole("characters", 1024 * 1024, { least: 1, sentence: "The longest line." })
})

/** What `Files.upload` and `Files.download` take. */
export const files = group({
  interval: duration(100, { sentence: "How long there is no other progress after one." })
})

export const retryBudget = group({
  ratio: number(0.2, { sentence: "How many retries there may be for each request." }),
  reserve: number(10, { sentence: "How many retries there may be besides." })
})

export const cookies = group({
  jar: optional({ _tag: "Methods", names: ["header", "store"] }, {
    sentence: "The jar that the cookies are in. Default: one of the layer's own, in memory."
  }),
  maxCookies: whole("cookies", 3000, { least: 1, sentence: "How many cookies are kept." }),
  maxCookiesPerDomain: whole("cookies", 180, { least: 1, sentence: "How many cookies are kept for a domain." }),
  isPublicSuffix: optional({ _tag: "Function" }, {
    sentence: "Whether anybody may register names below a domain. Default: as the Public Suffix List says."
  })
})

/** What `ContentCoding.encode` takes. */
export const requestCoding = group({
  minSize: whole("bytes", 1024, { sentence: "Bodies of fewer bytes are sent as they are." })
})

const codings = ["gzip", "deflate", "br", "zstd"] as const

/** What goes around the client: each is off by default, on, or on with options. */
export const wrappers = group({
  redirects: switched(
    flag(false, { variable: "REDIRECTS", sentence: "Whether redirects are followed." }),
    redirects.fields
  ),
  retry: switched(
    flag(false, { variable: "RETRY", sentence: "Whether what is safe to retry is retried." }),
    retry.fields
  ),
  cookies: switched(
    flag(false, { variable: "COOKIES", sentence: "Whether cookies are kept and sent." }),
    cookies.fields
  ),
  compress: switched(
    choice([false, ...codings], false, {
      variable: "COMPRESS",
      sentence: "Whether, and in which coding, the bodies of requests are compressed."
    }),
    { coding: choice(codings, "gzip", { sentence: "The coding." }), ...requestCoding.fields }
  ),
  credentials: optional({
    _tag: "Lookup",
    methods: ["authorize"],
    what: "credentials by origin, a function from the URL to one, or an Effect of either"
  }, { secret: true, sentence: "What authorizes the requests to an origin." })
})

/** What `HttpClientLayer.layerWithoutConnector` takes. */
export const layerWithoutConnector = group({ ...pooledClient.fields, ...wrappers.fields, decompress })

/** What `HttpClientLayer.layer` takes: all of it. */
export const layer = group({ ...layerWithoutConnector.fields, ...connector.fields }, [saysHowToJudge])

export const priority = group({
  urgency: choice([0, 1, 2, 3, 4, 5, 6, 7], 3, { sentence: "From 0, the most urgent, to 7." }),
  incremental: flag(false, { sentence: "Whether a part of the response is of use before all of it is there." })
})

/** What `Wrappers.wrap` takes: codecs and encoders are of the platform. */
export const wrap = group({
  total: duration(Infinity, { sentence: "How long a call may take with all that it does." }),
  redirects: wrappers.fields.redirects,
  retry: wrappers.fields.retry,
  cookies: optional({ _tag: "Methods", names: ["header", "store"] }, { sentence: "The jar that the cookies are in." }),
  compress: optional({ _tag: "Object" }, { sentence: "The encoder, with the options of `ContentCoding.encode`." }),
  credentials: wrappers.fields.credentials,
  decompress: optional({ _tag: "Object" }, { sentence: "The codecs, with the options of `ContentCoding.decode`." })
})

/** What `Netrc.parse` and `Netrc.load` take. */
export const netrc = group({
  insecure: flag(false, { sentence: "Whether passwords are sent over http too." }),
  path: optional<string>({ _tag: "Text" }, { sentence: "The path of the file." })
})

const namesAllOfAws: Rule = (all) => {
  const missing = ["region", "service", "keys"].find((name) => all[name] === undefined)
  return missing === undefined
    ? undefined
    : { option: missing, expected: missing === "keys" ? "an Effect of the keys" : "a text that is not empty" }
}

/** What `AwsSignature.make` takes. */
export const awsSignature = group({
  region: optional<string>({ _tag: "Text" }, { sentence: "As in `eu-central-1`." }),
  service: optional<string>({ _tag: "Text" }, { sentence: "As in `s3` or `execute-api`." }),
  keys: optional({ _tag: "Methods", names: ["pipe"] }, {
    secret: true,
    sentence: "Run for each attempt, so that keys may expire."
  })
}, [namesAllOfAws])

export type Limits = ResolvedFields<typeof limits.fields>
export type Timeouts = ResolvedFields<typeof timeouts.fields>
export type Http2 = ResolvedFields<typeof http2.fields>
