import type * as net from "node:net"
import type { HostTime } from "../Host.js"
import { type Address, AddressRace, type Attempt, attemptDelay } from "../network/index.js"
import { Alarm } from "./Alarm.js"
import type { Dial } from "./Dial.js"
import { onceConnected, type OpenSocket } from "./socket.js"

export interface RaceEvents<S extends net.Socket> {
  /** The first of them. The others are being closed. */
  readonly onConnected: (opened: OpenSocket<S>) => void
  /** All of them have failed. */
  readonly onFailed: (attempts: ReadonlyArray<Attempt<Error>>) => void
  /** Node does not take what it was given. */
  readonly onInvalid: (cause: Error) => void
}

/**
 * Connects to the address of them that is first to let it (RFC 8305 §5). Only TCP is raced: `opened` is not done with a
 * handshake. Returns what says how far it is.
 */
export const connectToAny = <S extends net.Socket>(
  dial: Dial,
  addresses: ReadonlyArray<Address>,
  open: (address: Address) => OpenSocket<S>,
  time: Pick<HostTime, "elapsed" | "sleep">,
  events: RaceEvents<S>
): () => ReadonlyArray<Attempt<Error>> => {
  const race = new AddressRace<Error>(addresses)
  const sockets: Array<S> = []
  let isOver = false
  const over = () => {
    isOver = true
    alarm.cancel()
  }
  const alarm = new Alarm(time, () => {
    if (!isOver && !dial.isClosed) next()
  })
  const next = (): void => {
    const address = race.start(time.elapsed())
    if (address === undefined) return
    let opened: OpenSocket<S>
    try {
      opened = open(address)
    } catch (cause) {
      over()
      return events.onInvalid(cause as Error)
    }
    const { socket } = opened
    sockets.push(socket)
    dial.add(socket)
    onceConnected(socket, "connect", () => {
      if (isOver) return
      over()
      for (const other of sockets) if (other !== socket) dial.drop(other)
      if (!dial.isClosed) events.onConnected(opened)
    }, (cause) => {
      race.failed(address, cause)
      if (isOver) return
      dial.drop(socket)
      if (dial.isClosed) return over()
      if (race.hasMore) return next()
      if (!race.isLost) return
      over()
      events.onFailed(race.attempts)
    })
    if (race.hasMore) alarm.set(attemptDelay)
    else alarm.cancel()
  }
  dial.onClosing(over)
  next()
  return () => race.attempts
}
