/** Attribute names and their values. */
export type Attributes = Readonly<Record<string, string>>

/**
 * - `Counter`: what has happened, and only grows.
 * - `Level`: what is read from the pool when somebody asks: it goes up and down.
 * - `Histogram`: how often a value was in which range; `boundaries` are their upper ends.
 */
export type Definition =
  & {
    readonly name: string
    readonly unit: string
    readonly description: string
  }
  & (
    | { readonly kind: "Counter" | "Level" }
    | { readonly kind: "Histogram"; readonly boundaries: ReadonlyArray<number> }
  )

// Names, units and attributes of OpenTelemetry's conventions for HTTP clients where they have one; `sluice.` where not.
// https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#http-client

/** The boundaries that the conventions ask for, in seconds, and some more for requests that hang. */
const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60]
const connectionSeconds = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600]
const waitSeconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

const histogram = (name: string, boundaries: ReadonlyArray<number>, description: string): Definition => ({
  kind: "Histogram",
  name,
  unit: "s",
  description,
  boundaries
})

const counter = (name: string, unit: string, description: string): Definition => ({
  kind: "Counter",
  name,
  unit,
  description
})

const level = (name: string, unit: string, description: string): Definition => ({
  kind: "Level",
  name,
  unit,
  description
})

export const requestDuration = histogram(
  "http.client.request.duration",
  requestSeconds,
  "From the call to the last byte of the response, the wait for a connection included"
)
export const connectionDuration = histogram(
  "http.client.connection.duration",
  connectionSeconds,
  "How long connections were open"
)
export const waitTime = histogram(
  "sluice.client.connection.wait_time",
  waitSeconds,
  "How long requests that had to wait for a connection did"
)

export const openConnections = level(
  "http.client.open_connections",
  "{connection}",
  "Connections that are open, by state"
)
export const activeRequests = level("http.client.active_requests", "{request}", "Requests that hold a connection")
export const pendingRequests = level(
  "sluice.client.pending_requests",
  "{request}",
  "Requests that wait for a connection"
)
export const connectionLimit = level(
  "sluice.client.connection.limit",
  "{connection}",
  "limits.maxConnections of the pool"
)

export const failedDials = counter(
  "sluice.client.failed_dials",
  "{connection}",
  "Connections that could not be made, by reason"
)
export const closedConnections = counter(
  "sluice.client.closed_connections",
  "{connection}",
  "Connections closed, by reason"
)
export const refusedRequests = counter(
  "sluice.client.refused_requests",
  "{request}",
  "Requests that got no connection, by reason"
)
export const retriedRequests = counter(
  "sluice.client.retried_requests",
  "{request}",
  "Requests sent again because a reused connection turned out to be closed"
)
export const abandonedBodies = counter(
  "sluice.client.abandoned_bodies",
  "{response}",
  "Unread bodies that were abandoned for a request that waited"
)

export const callRetries = counter(
  "sluice.client.retries",
  "{request}",
  "Requests that Retry.safely sent again, or would have if the budget had allowed it, by outcome"
)
export const redirects = counter("sluice.client.redirects", "{request}", "Redirects that were followed")
