import { choice, duration, flag, group, list, optional, type Rule, whole } from "./Option.js"

/** No more than are open can be kept. It is a mistake only where both were said at once. */
const keepsNoMoreThanOpen: Rule = (all, given) => {
  const kept = given["maxKeepAliveConnections"]
  const most = all["maxConnections"]
  return typeof kept === "number" && kept !== Infinity && typeof most === "number" && kept > most
    ? { option: "maxKeepAliveConnections", expected: `no more than maxConnections (${most}), for no more can be kept` }
    : undefined
}

export const limits = group({
  maxConnections: whole("connections", 100, {
    least: 1,
    variable: "MAX_CONNECTIONS",
    sentence: "Open at once, over all origins, those being made and being closed included. Further requests wait."
  }),
  maxConnectionsPerOrigin: whole("connections", Infinity, {
    least: 1,
    variable: "MAX_CONNECTIONS_PER_ORIGIN",
    sentence: "Open at once to one origin."
  }),
  maxKeepAliveConnections: whole("idle connections", 20, {
    variable: "MAX_KEEP_ALIVE_CONNECTIONS",
    sentence: "Idle connections that are kept, over all origins, and never more than `maxConnections`."
  }),
  keepAliveExpiry: duration(5000, {
    variable: "KEEP_ALIVE_EXPIRY",
    sentence: "How long an idle connection is kept."
  }),
  maxConnectionAge: duration(Infinity, {
    least: 1,
    variable: "MAX_CONNECTION_AGE",
    sentence: "How old a connection may become. One in use finishes first."
  }),
  maxRequestsPerConnection: whole("requests", Infinity, {
    least: 1,
    variable: "MAX_REQUESTS_PER_CONNECTION",
    sentence: "How many requests a connection serves before it is closed."
  }),
  maxPendingRequests: whole("requests", Infinity, {
    variable: "MAX_PENDING_REQUESTS",
    sentence: "Requests that may wait for a connection at once. One more fails with `PoolQueueFull`."
  })
}, [keepsNoMoreThanOpen])

/** Those of `limits` that may be others for one origin. */
export const originLimits = group({
  maxConnectionsPerOrigin: limits.fields.maxConnectionsPerOrigin,
  keepAliveExpiry: limits.fields.keepAliveExpiry,
  maxConnectionAge: limits.fields.maxConnectionAge,
  maxRequestsPerConnection: limits.fields.maxRequestsPerConnection
})

export const timeouts = group({
  pool: duration(5000, {
    variable: "POOL_TIMEOUT",
    sentence: "How long a request may wait for a connection while none is being made for it."
  }),
  connect: duration(5000, {
    variable: "CONNECT_TIMEOUT",
    sentence: "How long making a connection may take: name look-up, TCP and the TLS handshake."
  }),
  write: duration(30_000, {
    variable: "WRITE_TIMEOUT",
    sentence: "How long the server may take none of the bytes that we send."
  }),
  headers: duration(60_000, {
    variable: "HEADERS_TIMEOUT",
    sentence: "How long the response head may take, from the last byte of the request."
  }),
  read: duration(30_000, {
    variable: "READ_TIMEOUT",
    sentence: "How long the server may be silent while we wait for its bytes."
  }),
  total: duration(Infinity, {
    variable: "TOTAL_TIMEOUT",
    sentence: "How long everything may take, from the call to the last byte of the response."
  })
})

/** Where origins have connections reserved, others need some as well. */
const leavesSomeForOthers: Rule = (all) => {
  const reserved = all["reserved"] as { readonly origins: ReadonlyArray<string>; readonly connections: number }
  const { maxConnections } = all["limits"] as { readonly maxConnections: number }
  return reserved.origins.length > 0 && reserved.connections >= maxConnections
    ? { option: "reserved", expected: `fewer connections than limits.maxConnections (${maxConnections})` }
    : undefined
}

/** What `ConnectionPool.make` takes. */
export const pool = group({
  limits,
  timeouts,
  drainTimeout: duration(0, {
    variable: "DRAIN_TIMEOUT",
    sentence: "How long requests under way may go on when the pool is closed."
  }),
  whenFull: choice(["dial", "wait"], "dial", {
    variable: "WHEN_FULL",
    sentence: "What to do when an HTTP/2 connection carries all the streams it can: dial another one, or wait."
  }),
  unreadBodyGrace: duration(1000, {
    variable: "UNREAD_BODY_GRACE",
    sentence: "How long an unread body may hold a connection that others wait for."
  }),
  name: optional<string>({ _tag: "Text" }, {
    variable: "POOL_NAME",
    sentence: "What the metrics of this pool are distinguished by: see `docs/observability.md`."
  }),
  metrics: flag(true, {
    variable: "METRICS",
    sentence: "Whether the pool and its requests are counted in Effect's metrics."
  }),
  reserved: group({
    origins: list<string>({ _tag: "Origin" }, [], {
      sentence: "The origins that have connections of their own, as `http://collector:4318`."
    }),
    connections: whole("connections", 2, {
      least: 1,
      most: Number.MAX_SAFE_INTEGER,
      sentence: "How many of `limits.maxConnections` are for them, and for nobody else."
    })
  })
}, [leavesSomeForOthers])
