/**
 * Where hosts lead.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"

/**
 * Where a host leads: an address, or another name, which the system looks up; each with or without a port, as `10.0.0.1`,
 * `[::1]:8443`, `green.internal:443`. Several are tried as RFC 8305 has it.
 *
 * @since 0.1.0
 * @category models
 */
export type Targets = string | ReadonlyArray<string>

/**
 * Asked for each connection that is made, with the host and the port of the URL; within `timeouts.connect`. What it fails
 * with is the cause of a `ConnectError`. It keeps nothing by itself.
 *
 * @example
 * ```ts
 * import { HttpClientLayer, type Resolver } from "@sluice/node4"
 * import * as Effect from "effect/Effect"
 *
 * declare const healthyInstances: (service: string) => Effect.Effect<ReadonlyArray<string>, Error>
 *
 * const byRegistry: Resolver.Resolver = (host, port) =>
 *   host.endsWith(".service") ? healthyInstances(host) : Effect.succeed([`${host}:${port}`])
 *
 * const layer = HttpClientLayer.layer({ resolve: byRegistry })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export type Resolver = (host: string, port: number) => Effect.Effect<Targets, unknown>
