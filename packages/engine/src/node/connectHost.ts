import type * as net from "node:net"
import type { HostTime } from "../Host.js"
import type { Address, Attempt } from "../network/index.js"
import { connectToAny } from "./connectToAny.js"
import type { Dial } from "./Dial.js"
import * as errors from "./errors.js"
import type { Names } from "./lookup.js"
import type { OpenSocket } from "./socket.js"

/** What is connected to, and how it becomes addresses. */
export interface HostToConnect {
  readonly host: string
  readonly port: number
  readonly names: Names
  /** The Unix socket to connect to in its place. */
  readonly socketPath?: string | undefined
  /** The URL of the proxy that it is, if it is one. */
  readonly proxy?: string | undefined
}

export interface HostEvents<S extends net.Socket> {
  readonly onConnected: (opened: OpenSocket<S>) => void
  readonly onUnknown: (cause: Error) => void
  readonly onFailed: (attempts: ReadonlyArray<Attempt<Error>>) => void
  /** Node does not take what it was given. */
  readonly onInvalid: (cause: Error) => void
}

/** Connects to the first address of a host that lets it. */
export const connectHost = <S extends net.Socket>(
  dial: Dial,
  { host, names, port, proxy, socketPath }: HostToConnect,
  open: (target: net.NetConnectOpts) => OpenSocket<S>,
  time: Pick<HostTime, "elapsed" | "sleep">,
  { onConnected, onFailed, onInvalid, onUnknown }: HostEvents<S>
): void => {
  const connectTo = (addresses: ReadonlyArray<Address>, target: (address: Address) => net.NetConnectOpts) => {
    const attempts = connectToAny(dial, addresses, (address) => open(target(address)), time, {
      onConnected,
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
  names(host, (error, addresses) => {
    if (dial.isClosed) return
    if (error !== undefined) onUnknown(error)
    else connectTo(addresses, ({ address }) => ({ host: address, port }))
  })
}
