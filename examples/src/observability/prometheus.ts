import * as Metrics from "@effect/opentelemetry/Metrics"
import * as Resource from "@effect/opentelemetry/Resource"
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus"
import * as Layer from "effect/Layer"

/**
 * The metrics of the program at `http://localhost:9464/metrics`, where Prometheus asks for them. Those of Sluice are
 * Effect's metrics, so they are there without more.
 */
export const prometheus = ({ port = 9464, serviceName }: { readonly port?: number; readonly serviceName: string }) =>
  Metrics.layer(() => new PrometheusExporter({ port, withoutScopeInfo: true })).pipe(
    Layer.provide(Resource.layer({ serviceName }))
  )
