import type { CloseReason } from "../CloseReason.js"
import type { Protocol } from "../Connection.js"
import type * as Failure from "../Failure.js"
import type { Meter } from "../Host.js"
import type * as Origin from "../Origin.js"
import type { Attributes, Definition } from "./definitions.js"
import * as definitions from "./definitions.js"
import { metricOf, type Registry, type Updated } from "./Registry.js"

type ByStatus = Map<number, Updated>

/** The methods that have a name of their own; all others are one (as the conventions ask for). */
const methods = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"])

const nameOf = (method: string): string => methods.has(method) ? method : "_OTHER"

/** The origin of a request, and what is kept for it. Made when it is first counted. */
class Route {
  readonly attributes: Attributes
  /** Of requests that got a response, by method and status; no text is made to find them. */
  private readonly responses = { "http/1.1": new Map<string, ByStatus>(), h2: new Map<string, ByStatus>() }
  private readonly others = new Map<string, Updated>()
  private waits: Updated | undefined = undefined

  constructor(private readonly registry: Registry, pool: Attributes, { host, port }: Origin.Origin) {
    this.attributes = { ...pool, "server.address": host, "server.port": String(port) }
  }

  response(method: string, status: number, protocol: Protocol): Updated {
    const byMethod = this.responses[protocol]
    let statuses = byMethod.get(method)
    if (statuses === undefined) {
      const named = nameOf(method)
      statuses = byMethod.get(named) ?? new Map<number, Updated>()
      byMethod.set(named, statuses)
    }
    let found = statuses.get(status)
    if (found === undefined) {
      const error = status >= 400 ? String(status) : undefined
      const attributes = this.ofRequest(nameOf(method), status, error, protocol)
      found = metricOf(this.registry, definitions.requestDuration, attributes)
      statuses.set(status, found)
    }
    return found
  }

  failure(given: string, status: number | undefined, error: string, protocol: Protocol | undefined): Updated {
    const method = nameOf(given)
    const key = `${method} ${status} ${error} ${protocol}`
    let found = this.others.get(key)
    if (found === undefined) {
      found = metricOf(this.registry, definitions.requestDuration, this.ofRequest(method, status, error, protocol))
      this.others.set(key, found)
    }
    return found
  }

  private ofRequest(
    method: string,
    status: number | undefined,
    error: string | undefined,
    protocol: Protocol | undefined
  ): Attributes {
    return {
      ...this.attributes,
      "http.request.method": method,
      ...(status === undefined ? {} : { "http.response.status_code": String(status) }),
      ...(protocol === undefined ? {} : { "network.protocol.version": protocol === "h2" ? "2" : "1.1" }),
      ...(error === undefined ? {} : { "error.type": error })
    }
  }

  /** How long its requests wait for a connection: where there are few, each of them does. */
  get waitTime(): Updated {
    return this.waits ??= metricOf(this.registry, definitions.waitTime, this.attributes)
  }

  /** Another metric of the route. */
  of(definition: Definition, name?: string, value?: string): Updated {
    const key = `${definition.name} ${value}`
    let found = this.others.get(key)
    if (found === undefined) {
      const attributes = name === undefined || value === undefined
        ? this.attributes
        : { ...this.attributes, [name]: value }
      found = metricOf(this.registry, definition, attributes)
      this.others.set(key, found)
    }
    return found
  }
}

/** Routes that are known by themselves; `LabelSets` bounds what is counted apart, and this what finds it. */
const knownRoutes = 1000

/** What one pool counts. */
export class PoolMeter implements Meter {
  private readonly routes = new Map<string, Route>()

  constructor(private readonly registry: Registry, private readonly attributes: Attributes) {}

  ended(
    origin: Origin.Origin,
    method: string,
    status: number | undefined,
    protocol: Protocol | undefined,
    millis: number,
    failure: Failure.Failure | undefined
  ): void {
    const route = this.route(origin)
    const metric = failure === undefined && status !== undefined && protocol !== undefined
      ? route.response(method, status, protocol)
      : route.failure(method, status, failure?._tag ?? "cancelled", protocol)
    metric.update(millis / 1000)
  }

  waited(origin: Origin.Origin, millis: number): void {
    this.route(origin).waitTime.update(millis / 1000)
  }

  refused(origin: Origin.Origin, failure: Failure.Failure): void {
    this.route(origin).of(definitions.refusedRequests, "error.type", refusalOf(failure)).update(1)
  }

  dialFailed(origin: Origin.Origin, failure: Failure.Failure): void {
    this.route(origin).of(definitions.failedDials, "error.type", dialFailureOf(failure)).update(1)
  }

  closed(origin: Origin.Origin, millis: number, reason: CloseReason | undefined): void {
    const route = this.route(origin)
    route.of(definitions.connectionDuration).update(millis / 1000)
    route.of(definitions.closedConnections, "sluice.connection.close_reason", reason ?? "Other").update(1)
  }

  retried(origin: Origin.Origin): void {
    this.route(origin).of(definitions.retriedRequests).update(1)
  }

  abandoned(origin: Origin.Origin): void {
    this.route(origin).of(definitions.abandonedBodies).update(1)
  }

  private route(origin: Origin.Origin): Route {
    const { key } = origin
    const known = this.routes.get(key)
    if (known !== undefined) return known
    if (this.routes.size >= knownRoutes) this.routes.clear()
    const route = new Route(this.registry, this.attributes, origin)
    this.routes.set(key, route)
    return route
  }
}

/** A PoolTimeout by what held the connections: what is to be done about it is different. */
const refusalOf = (failure: Failure.Failure): string => {
  if (failure._tag !== "PoolTimeout") return failure._tag
  const { heldByKin, heldByThisFiber, longestHeld } = failure.pool
  if (heldByThisFiber + heldByKin > 0) return "PoolTimeout.nested"
  return longestHeld.some(({ bodyUnread }) => bodyUnread) ? "PoolTimeout.unread" : "PoolTimeout.busy"
}

/**
 * `ConnectError.Refused`, `TlsError.Expired`, `ConnectTimeout.Handshaking`, …: name server, peer, certificate, proxy and own
 * limits are told apart.
 */
const dialFailureOf = (failure: Failure.Failure): string => {
  switch (failure._tag) {
    case "ConnectError":
    case "TlsError":
    case "ProxyError":
      return `${failure._tag}.${failure.reason}`
    case "ConnectTimeout":
      return failure.stage === undefined ? failure._tag : `${failure._tag}.${failure.stage._tag}`
    default:
      return failure._tag
  }
}
