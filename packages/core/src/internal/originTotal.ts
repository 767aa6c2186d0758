import type * as HttpClient from "@effect/platform/HttpClient"
import type { TotalOf } from "./withTotal.js"

const knowsTotals = Symbol("@sluice/core/knowsTotals")

/** The same client; whoever puts wrappers around it asks by `totalOf`. */
export const withTotalOf = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  totalOf: TotalOf | undefined
): HttpClient.HttpClient.With<E, R> =>
  totalOf === undefined ? client : Object.assign(client, { [knowsTotals]: totalOf })

/** How long calls may take by the origin that they are for; undefined if no origin has a say in it. */
export const totalOf = <E, R>(client: HttpClient.HttpClient.With<E, R>): TotalOf | undefined =>
  (client as { readonly [knowsTotals]?: TotalOf })[knowsTotals]
