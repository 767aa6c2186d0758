import * as net from "node:net"
import type { ExplainedHost, ExplainedRoute, ExplainedTls } from "../Explanation.js"
import { formatMillis } from "../format.js"
import type { HostTime } from "../Host.js"
import { type AddressJudge, authorityOf, type Way } from "../network/index.js"
import type { Origin } from "../Origin.js"
import { Alarm } from "./Alarm.js"
import { notAllowed } from "./connectHost.js"
import type { Names } from "./lookup.js"
import type { OriginNetwork } from "./OriginNetwork.js"
import type { KnownProxy } from "./ProxySettings.js"
import { withoutDot } from "./tls.js"
import type { TlsSettings } from "./TlsSettings.js"

type Told = Pick<ExplainedRoute, "connectsTo" | "behindProxy">

/** How requests to an origin would get there. Names are looked up; nothing is connected to. */
export const explainRoute = (
  origin: Origin,
  way: Way<KnownProxy>,
  { names, settings: { policy, proxies, socketPath, tls } }: OriginNetwork,
  protocol: ExplainedRoute["protocol"],
  time: Pick<HostTime, "sleep">,
  timeout: number,
  then: (route: ExplainedRoute) => void
): void => {
  const proxy = way._tag === "Direct" ? undefined : way.proxy
  const end = (told: Told) =>
    then({
      way: way._tag === "Direct" ? "direct" : way._tag === "Tunnel" ? "tunnel" : "forward",
      proxy: proxy?.href,
      proxyFrom: proxies === undefined ? undefined : proxies.isEnvironment === true ? "environment" : "option",
      socketPath,
      hasPolicy: policy !== undefined,
      protocol,
      tls: origin.scheme === "https" ? explainTls(tls, origin) : undefined,
      ...told
    })
  const hosts = (host: string, port: number, judge: AddressJudge | undefined, found: (host: ExplainedHost) => void) =>
    explainHost(within(names, time, timeout), host, port, judge, found)
  if (proxy === undefined) {
    if (socketPath !== undefined) return end({ connectsTo: undefined, behindProxy: undefined })
    return hosts(origin.host, origin.port, policy?.judge, (connectsTo) => end({ connectsTo, behindProxy: undefined }))
  }
  hosts(proxy.host, proxy.port, undefined, (connectsTo) => {
    const isHere = way._tag === "Tunnel" && (proxy.scheme === "socks5" || policy?.throughProxy === "resolve-here")
    if (!isHere) return end({ connectsTo, behindProxy: undefined })
    hosts(origin.host, origin.port, policy?.judge, (behindProxy) => end({ connectsTo, behindProxy }))
  })
}

/** Look-ups that fail when they have taken so many milliseconds. */
const within = (names: Names, time: Pick<HostTime, "sleep">, timeout: number): Names => (host, port, onNamed) => {
  let isOver = false
  const end: typeof onNamed = (error, addresses) => {
    if (isOver) return
    isOver = true
    alarm.cancel()
    onNamed(error, addresses)
  }
  const alarm = new Alarm(time, () => end(new Error(`no response within ${formatMillis(timeout)}`), []))
  alarm.set(timeout)
  names(host, port, end)
}

const explainHost = (
  names: Names,
  host: string,
  port: number,
  judge: AddressJudge | undefined,
  then: (host: ExplainedHost) => void
): void =>
  names(host, port, (error, addresses) =>
    then({
      host,
      addresses: addresses.map((each) => ({
        address: `${authorityOf(each.address)}:${each.port ?? port}`,
        notAllowed: notAllowed(judge, host, port, [each])?.reason
      })),
      failure: error?.message
    }))

const explainTls = (settings: TlsSettings, { host }: Origin): ExplainedTls => {
  const { ca, cert, files, maxVersion, minVersion, pins, rejectUnauthorized, servername } = settings
  return {
    servername: servername ?? (net.isIP(host) === 0 ? withoutDot(host) : host),
    minVersion: minVersion ?? "TLSv1.2",
    maxVersion: maxVersion ?? "TLSv1.3",
    authorities: ca === "system" ? "system" : (files?.ca ?? ca) === undefined ? "node" : "options",
    clientCertificate: (files?.cert ?? cert) !== undefined,
    pins: pins?.length ?? 0,
    verifies: rejectUnauthorized ?? true
  }
}
