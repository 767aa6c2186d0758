import * as tls from "node:tls"
import type { Connection } from "../Connection.js"
import type { Origin } from "../Origin.js"
import { Http2Connection } from "./Http2Connection.js"
import type { Names } from "./lookup.js"
import type { Route } from "./socket.js"
import { withoutDot } from "./tls.js"
import type { TlsSettings } from "./TlsSettings.js"

interface Settings extends Route {
  readonly tls: TlsSettings
}

/** Calls back, at once or later, with those of the open connections that carry requests of the origin as well. */
export type Coalesce = (
  origin: Origin,
  open: ReadonlyArray<Connection>,
  onFound: (serving: ReadonlyArray<Connection>) => void
) => void

/**
 * Finds the connections that carry requests of another origin as well (RFC 9113 §9.1.1). Undefined where the options make
 * connections that look alike and are not: none that is verified, or not by the host's name alone, or all to one socket.
 */
export const coalesceWith = ({ socketPath, tls: settings }: Settings, names: Names): Coalesce | undefined => {
  const { checkServerIdentity, pins, rejectUnauthorized, servername } = settings
  const looksAlike = servername !== undefined || checkServerIdentity !== undefined || pins !== undefined ||
    rejectUnauthorized === false
  if (socketPath !== undefined || looksAlike) return undefined
  return (origin, open, onFound) => {
    if (origin.scheme !== "https" || !isPlain(origin)) return onFound([])
    const covering = open.filter((connection) => covers(connection, origin))
    if (covering.length === 0) return onFound([])
    // A name that cannot be looked up has no addresses; a dial to it then fails with the reason.
    names(origin.host, origin.port, (_error, addresses) => {
      const all = new Set(addresses.map(({ address }) => address))
      onFound(covering.filter(({ remoteAddress }) => remoteAddress !== undefined && all.has(remoteAddress)))
    })
  }
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
