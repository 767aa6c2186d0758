import { formatMillis } from "./format.js"

/** An address that was tried, and how it ended. */
export interface TriedAddress {
  readonly address: string
  /** Milliseconds after the first one. */
  readonly startedAfter: number
  /** The code of the system's error, as `ECONNREFUSED`; `no response` while it is being tried. */
  readonly outcome: string
}

/** A peer that has accepted the connection. */
export interface Reached {
  /** With its port, as `127.0.0.1:443`; undefined for a Unix socket, and for what is behind a tunnel. */
  readonly address: string | undefined
  /** How long that took, in milliseconds; the look-up of the name, and the way through a proxy, are part of it. */
  readonly connectedAfter: number
  /** The URL of the proxy that has opened a tunnel to it; undefined where there is none. */
  readonly tunnel?: string | undefined
}

/** Which leg of the way it is on. */
interface Leg {
  /** The URL of the proxy that is being reached; undefined for the origin. */
  readonly proxy?: string | undefined
}

/**
 * What the making of a connection waits for: the resolver, a TCP handshake with one of the addresses, the TLS handshake, a
 * proxy that is to open a tunnel, or the SETTINGS of an HTTP/2 server.
 */
export type DialStage =
  | ({ readonly _tag: "LookingUp"; readonly host: string } & Leg)
  | ({ readonly _tag: "Connecting"; readonly addresses: ReadonlyArray<TriedAddress> } & Leg)
  | ({ readonly _tag: "Handshaking" } & Reached & Leg)
  | ({ readonly _tag: "Tunnelling"; readonly proxy: string } & Reached)
  | ({ readonly _tag: "Preface" } & Reached)

/** `192.0.2.1 (ECONNREFUSED), 2001:db8::1 (no response)`. */
export const describeTried = (addresses: ReadonlyArray<TriedAddress>): string =>
  addresses.map(({ address, outcome }) => `${address} (${outcome})`).join(", ")

/** The end of the sentence about a connection that takes too long: what it waits for, and what to do about it. */
export const describeStage = (stage: DialStage | undefined): string => {
  switch (stage?._tag) {
    case undefined:
      return ". Is the address right, and does no firewall drop the packets?"
    case "LookingUp":
      return `; it was looking up ${
        of(stage)
      }${stage.host}, and the resolver did not respond. Is there a network, and is the name ` +
        "server up?"
    case "Connecting":
      return `; it was connecting to ${of(stage)}${describeTried(stage.addresses)}. ` +
        "Is the address right, and does no firewall drop the packets?"
    case "Handshaking":
      return `; ${of(stage)}${accepted(stage)}; the TLS handshake got no response. Does that port speak TLS?`
    case "Tunnelling":
      return `; ${of(stage)}${
        accepted(stage)
      }, but opened no tunnel to the origin. Is it a proxy of that kind, and can it ` +
        "reach the origin?"
    case "Preface":
      return `; ${accepted(stage)}, but ${
        stage.tunnel === undefined ? "" : "the origin "
      }sent no HTTP/2 SETTINGS. Does it speak HTTP/2? If not, set http2: false`
  }
}

const of = ({ proxy }: Leg): string => proxy === undefined ? "" : `the proxy ${proxy}: `

const accepted = ({ address = "the server", connectedAfter, tunnel }: Reached): string =>
  tunnel === undefined
    ? `${address} accepted the connection after ${formatMillis(connectedAfter)}`
    : `the proxy ${tunnel} had opened the tunnel after ${formatMillis(connectedAfter)}`
