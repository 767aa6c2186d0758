import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"

// Names and units of OpenTelemetry's HTTP client conventions where they exist; `sluice.` where they do not.
// https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#http-client
//
// The tags are part of the keys: a metric tagged afterwards looks itself up at every update.

/** The bucket boundaries for durations, in seconds. */
const connectionSeconds = MetricBoundaries.fromIterable([0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600])
const waitSeconds = MetricBoundaries.fromIterable([0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])

const openConnections = (state: string) =>
  Metric.fromMetricKey(
    MetricKey.tagged(
      MetricKey.counter("http.client.open_connections", { description: "Connections that are open, by state" }),
      "http.connection.state",
      state
    )
  )

export const activeConnections = openConnections("active")
export const idleConnections = openConnections("idle")

export const connectionDuration = Metric.fromMetricKey(
  MetricKey.histogram(
    "http.client.connection.duration",
    connectionSeconds,
    "How long connections were open, in seconds"
  )
)

export const activeRequests = Metric.fromMetricKey(
  MetricKey.counter("http.client.active_requests", { description: "Requests that hold a connection" })
)

export const pendingRequests = Metric.fromMetricKey(
  MetricKey.counter("sluice.client.pending_requests", { description: "Requests that wait for a connection" })
)

export const waitTime = Metric.fromMetricKey(
  MetricKey.histogram(
    "sluice.client.connection.wait_time",
    waitSeconds,
    "How long requests that had to wait for a connection did, in seconds"
  )
)

export const refusedRequests = (reason: string) =>
  Metric.fromMetricKey(
    MetricKey.tagged(
      MetricKey.counter("sluice.client.refused_requests", {
        description: "Requests that got no connection, by reason",
        incremental: true
      }),
      "reason",
      reason
    )
  )

export const retriedRequests = Metric.fromMetricKey(
  MetricKey.counter("sluice.client.retried_requests", {
    description: "Requests sent again because a reused connection turned out to be closed",
    incremental: true
  })
)
