import * as Otlp from "@effect/opentelemetry/Otlp"
import * as OtlpSerialization from "@effect/opentelemetry/OtlpSerialization"
import type { DurationInput } from "effect/Duration"
import * as Layer from "effect/Layer"

/**
 * Spans, metrics and logs to a collector that speaks OTLP over HTTP, over the `HttpClient` that is provided: the pool of
 * the program itself. Give it connections that nobody else has, `reserved: { origins: [collector] }` of the layer's
 * options, or what is lost when the pool is full are the spans that say why.
 */
export const otlp = ({ collector, interval = "5 seconds", serviceName }: {
  readonly collector: string
  readonly serviceName: string
  readonly interval?: DurationInput
}) =>
  Otlp.layer({
    baseUrl: collector,
    resource: { serviceName },
    loggerExportInterval: interval,
    metricsExportInterval: interval,
    tracerExportInterval: interval
  }).pipe(Layer.provide(OtlpSerialization.layerJson))
