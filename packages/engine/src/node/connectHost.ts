import type * as net from "node:net"
import type { HostTime } from "../Host.js"
import type { Address, AddressJudge, Attempt } from "../network/index.js"
import { connectToAny } from "./connectToAny.js"
import type { Dial } from "./Dial.js"
import * as errors from "./errors.js"
import { type Names, toAddress } from "./lookup.js"
import { type OpenSocket, tune } from "./socket.js"
import type { TcpSettings } from "./TcpSettings.js"

/** What is connected to, and how it becomes addresses. */
export interface HostToConnect {
  readonly host: string
  readonly port: number
  readonly names: Names
  /** The Unix socket to connect to instead. */
  readonly socketPath?: string | undefined
  /** The address of this machine to connect from. */
  readonly localAddress?: string | undefined
  readonly tcp: TcpSettings
  /** Says what of it may be reached. */
  readonly judge?: AddressJudge | undefined
  /** The URL of the proxy that it is, if it is one. */
  readonly proxy?: string | undefined
}

export interface HostEvents<S extends net.Socket> {
  readonly onConnected: (opened: OpenSocket<S>) => void
  readonly onUnknown: (cause: Error) => void
  readonly onFailed: (attempts: ReadonlyArray<Attempt<Error>>) => void
  /** Node does not take what it was given. */
  readonly onInvalid: (cause: Error) => void
  readonly onNotAllowed: (address: string, reason: string) => void
}

/** The first of them that may not be reached. All are looked at: who has one of each kind wants us to take the wrong one. */
export const notAllowed = (
  judge: AddressJudge | undefined,
  host: string,
  port: number,
  addresses: ReadonlyArray<Address>
): { readonly address: string; readonly reason: string } | undefined => {
  if (judge === undefined) return undefined
  for (const { address, family, port: own = port } of addresses) {
    const reason = judge({ host, port: own, address, family })
    if (reason !== undefined) return { address, reason }
  }
  return undefined
}

/** Connects to the first address of a host that lets it. */
export const connectHost = <S extends net.Socket>(
  dial: Dial,
  { host, judge, localAddress, names, port, proxy, socketPath, tcp }: HostToConnect,
  open: (target: net.NetConnectOpts) => OpenSocket<S>,
  time: Pick<HostTime, "elapsed" | "sleep">,
  { onConnected, onFailed, onInvalid, onNotAllowed, onUnknown }: HostEvents<S>
): void => {
  const connectTo = (addresses: ReadonlyArray<Address>, target: (address: Address) => net.NetConnectOpts) => {
    const refused = notAllowed(judge, host, port, addresses)
    if (refused !== undefined) return onNotAllowed(refused.address, refused.reason)
    const attempts = connectToAny(dial, addresses, (address) => open(target(address)), time, {
      onConnected: (opened) => {
        tune(opened.socket, tcp)
        if (judge === undefined) return onConnected(opened)
        // What was connected to is looked at once more: whatever is between us and the system has no say in it.
        const { remoteAddress } = opened.socket
        const again = remoteAddress === undefined
          ? undefined
          : notAllowed(judge, host, port, toAddress({ address: remoteAddress }))
        if (again === undefined) onConnected(opened)
        else onNotAllowed(again.address, again.reason)
      },
      onFailed,
      onInvalid
    })
    dial.stage = () => ({ _tag: "Connecting", addresses: errors.triedAddresses(attempts()), proxy })
  }
  if (socketPath !== undefined) {
    // The path decides; TLS verifies the host all the same.
    const target = ({ address }: Address) => ({ host, path: address }) as net.NetConnectOpts
    return connectTo([{ address: socketPath, family: "unix" }], target)
  }
  dial.stage = () => ({ _tag: "LookingUp", host, proxy })
  const literal = proxy === undefined ? [] : toAddress({ address: host })
  // Where the hosts of URLs lead is nothing that holds for the address of a proxy.
  const found: Names = literal.length === 0 ? names : (_host, _port, onNamed) => onNamed(undefined, literal)
  found(host, port, (error, addresses) => {
    if (dial.isClosed) return
    if (error !== undefined) onUnknown(error)
    else {
      const own = localAddress === undefined ? {} : { localAddress }
      connectTo(addresses, ({ address, port: other = port }) => ({ host: address, port: other, ...own }))
    }
  })
}
