import type { Protocol } from "./Connection.js"
import { counted, formatMillis } from "./format.js"
import type { OriginLimits } from "./OriginLimits.js"
import type { Counts } from "./PoolSnapshot.js"
import type { RequestTimeouts } from "./RequestTimeouts.js"

/** An address, with its port, that a host leads to. */
export interface ExplainedAddress {
  readonly address: string
  /** Why the address policy does not let it be connected to; undefined if it does, or if there is none. */
  readonly notAllowed: string | undefined
}

/** A host that was looked up. */
export interface ExplainedHost {
  readonly host: string
  /** Of several, each dial begins with the next one. */
  readonly addresses: ReadonlyArray<ExplainedAddress>
  /** Why there are none. */
  readonly failure: string | undefined
}

/** What TLS would be spoken with. */
export interface ExplainedTls {
  /** The name that is asked for and that the certificate has to cover. */
  readonly servername: string
  readonly minVersion: string
  readonly maxVersion: string
  /** Whom it trusts: those that Node trusts, those of the system, or those of the options. */
  readonly authorities: "node" | "system" | "options"
  readonly clientCertificate: boolean
  /** How many public keys are pinned. */
  readonly pins: number
  /** Whether a certificate that cannot be verified ends the connection. */
  readonly verifies: boolean
}

/** How requests would get to an origin. */
export interface ExplainedRoute {
  /** By themselves, through a tunnel that a proxy opens, or as requests to the proxy. */
  readonly way: "direct" | "tunnel" | "forward"
  /** Scheme, host and port of the proxy. */
  readonly proxy: string | undefined
  /** Who has named it; undefined where no request would go through one. */
  readonly proxyFrom: "environment" | "option" | undefined
  /** Where that is connected to in place of any host. */
  readonly socketPath: string | undefined
  /** What is connected to: the proxy if there is one, else the origin. */
  readonly connectsTo: ExplainedHost | undefined
  /** The origin behind a proxy, where its name is looked up here. */
  readonly behindProxy: ExplainedHost | undefined
  /** Whether an address policy holds. */
  readonly hasPolicy: boolean
  readonly protocol: Protocol | "unknown"
  /** Undefined where none is spoken. */
  readonly tls: ExplainedTls | undefined
}

/** What would be done for a URL. */
export interface Explanation {
  /** Origin and path. */
  readonly url: string
  readonly origin: string
  /** Undefined where the connector has nothing to say, as the network in memory. */
  readonly route: ExplainedRoute | undefined
  readonly timeouts: RequestTimeouts
  readonly limits: OriginLimits & { readonly maxConnections: number }
  /** The connections that there are to it now, by this way. */
  readonly connections: Counts
}

/** As lines for people. */
export const describeExplanation = ({ connections, limits, route, timeouts, url }: Explanation): string => {
  const rows: Array<readonly [string, string]> = route === undefined ? [] : routeRows(route)
  const { connect, headers, pool, read, total, write } = timeouts
  const times = Object.entries({ pool, connect, write, headers, read, total })
  rows.push(
    ["timeouts", times.map(([name, millis]) => `${name} ${formatMillis(millis)}`).join(", ")],
    ["limits", limitsOf(limits)],
    ["now", `${connections.active} connections in use, ${connections.idle} idle, ${connections.waiting} requests wait`]
  )
  return [url, ...rows.map(([name, text]) => `  ${name.padEnd(10)}${text}`)].join("\n")
}

const routeRows = (route: ExplainedRoute): Array<readonly [string, string]> => {
  const { behindProxy, connectsTo, hasPolicy, protocol, proxy, proxyFrom, socketPath, tls, way } = route
  const rows: Array<readonly [string, string]> = []
  const says = proxyFrom === "environment" ? "the environment" : "the option proxy"
  if (proxy === undefined) {
    rows.push(["way", proxyFrom === undefined ? "direct" : `direct: ${says} excepts it from the proxy`])
  } else {
    const how = way === "tunnel" ? "through a tunnel of the proxy" : "as requests to the proxy"
    rows.push(["way", `${how} ${proxy}, which ${says} names`])
  }
  if (socketPath !== undefined) rows.push(["socket", socketPath])
  if (connectsTo !== undefined) rows.push(["connects", describeHost(connectsTo)])
  if (behindProxy !== undefined) rows.push(["behind it", describeHost(behindProxy)])
  else if (proxy !== undefined) rows.push(["behind it", "the proxy looks the name up"])
  if (hasPolicy) {
    rows.push(["policy", proxy === undefined ? "each address is judged" : "what is behind the proxy is judged"])
  }
  rows.push(["TLS", tls === undefined ? "none" : describeTls(tls)])
  rows.push(["protocol", protocols[protocol]])
  return rows
}

const protocols = {
  "http/1.1": "HTTP/1.1",
  h2: "HTTP/2",
  unknown: "HTTP/2 or HTTP/1.1, as the server chooses (ALPN)"
} as const

const describeHost = ({ addresses, failure, host }: ExplainedHost): string =>
  failure === undefined
    ? `${addresses.length === 1 && addresses[0].address.includes(host) ? "" : `${host} at `}${
      addresses.map(({ address, notAllowed }) =>
        notAllowed === undefined ? address : `${address}, not allowed: ${notAllowed}`
      )
        .join("; ")
    }`
    : `${host} cannot be looked up: ${failure}`

const trusted = {
  node: "trusts whom Node trusts",
  system: "trusts whom the system trusts",
  options: "trusts the authorities of tls.ca alone"
} as const

const describeTls = (
  { authorities, clientCertificate, maxVersion, minVersion, pins, servername, verifies }: ExplainedTls
) =>
  [
    minVersion === maxVersion ? minVersion : `${minVersion} to ${maxVersion}`,
    `for ${servername}`,
    verifies ? trusted[authorities] : "VERIFIES NOTHING (tls.rejectUnauthorized)",
    ...(pins > 0 ? [counted(pins, "pinned key", "pinned keys")] : []),
    ...(clientCertificate ? ["with a client certificate"] : [])
  ].join(", ")

const limitsOf = ({
  keepAliveExpiry,
  maxConnectionAge,
  maxConnections,
  maxConnectionsPerOrigin,
  maxRequestsPerConnection
}: Explanation["limits"]): string =>
  [
    `${maxConnections} connections in all`,
    ...(maxConnectionsPerOrigin === Infinity ? [] : [`${maxConnectionsPerOrigin} to it`]),
    `idle for ${formatMillis(keepAliveExpiry)}`,
    ...(maxConnectionAge === Infinity ? [] : [`at most ${formatMillis(maxConnectionAge)} old`]),
    ...(maxRequestsPerConnection === Infinity ? [] : [`${maxRequestsPerConnection} requests each`])
  ].join(", ")
