import type { Connection } from "@sluice/core/Connection"
import type { Origin } from "@sluice/core/Origin"
import * as Effect from "effect/Effect"
import * as dns from "node:dns"
import * as net from "node:net"
import * as tls from "node:tls"
import type { TlsOptions } from "../TlsOptions.js"
import type { Route } from "./dial.js"
import { Http2Connection } from "./Http2Connection.js"
import { withoutDot } from "./tls.js"

interface Options extends Route {
  readonly tls?: TlsOptions | undefined
}

type Coalesce = (origin: Origin, open: ReadonlyArray<Connection>) => Effect.Effect<ReadonlyArray<Connection>>

const none = Effect.succeed<ReadonlyArray<Connection>>([])

/**
 * Finds the connections that carry requests of another origin as well (RFC 9113 §9.1.1). Undefined where the options make
 * connections that look alike and are not: none that is verified, or by another name than the host's, or all to one
 * socket.
 */
export const make = ({ lookup = dns.lookup, socketPath, tls: options = {} }: Options): Coalesce | undefined => {
  if (socketPath !== undefined || options.servername !== undefined || options.rejectUnauthorized === false) {
    return undefined
  }
  return (origin, open) =>
    Effect.suspend(() => {
      if (origin.scheme !== "https" || !isPlain(origin)) return none
      const covering = open.filter((connection) => covers(connection, origin))
      if (covering.length === 0) return none
      return Effect.map(addressesOf(origin.host, lookup), (addresses) =>
        covering.filter(({ remoteAddress }) => remoteAddress !== undefined && addresses.has(remoteAddress)))
    })
}

/** Not one that is reached in a way of its own. */
const isPlain = ({ href, key }: Origin): boolean => href === key

/** What a new connection to the origin would be asked: the same port, and a certificate for its host. */
const covers = (connection: Connection, { host, port }: Origin): boolean => {
  if (!(connection instanceof Http2Connection) || !connection.reusable) return false
  const { origin, socket } = connection
  if (!(socket instanceof tls.TLSSocket) || !isPlain(origin) || socket.remotePort !== port) return false
  return tls.checkServerIdentity(withoutDot(host), socket.getPeerCertificate()) === undefined
}

/** A name that cannot be looked up has none; whoever dials it then is told. */
const addressesOf = (host: string, lookup: net.LookupFunction): Effect.Effect<ReadonlySet<string>> =>
  net.isIP(host) !== 0 ? Effect.succeed(new Set([host])) : Effect.async((resume) => {
    lookup(host, { all: true }, (error, addresses) => {
      const all = error !== null ? [] : typeof addresses === "string" ? [{ address: addresses }] : addresses
      resume(Effect.succeed(new Set(all.map(({ address }) => address))))
    })
  })
