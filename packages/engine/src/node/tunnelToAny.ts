import type { Failure } from "../Failure.js"
import type { HostTime } from "../Host.js"
import { type Address, AddressRace, attemptDelay, authorityOf, type ProxyFailure } from "../network/index.js"
import { Alarm } from "./Alarm.js"
import type { Dial } from "./Dial.js"
import type { OpenSocket } from "./socket.js"

export interface TunnelEvents {
  readonly onOpened: (opened: OpenSocket) => void
  /** The proxy opened no tunnel to this address. */
  readonly onRefused: (failure: ProxyFailure, cause?: unknown) => void
  /** Nobody could be asked. */
  readonly onFailed: (failure: Failure) => void
}

/** Asks for a tunnel to one address, over sockets of a part of the dial, and says when it has asked. */
type OpenTunnel = (part: Dial, address: Address, onAsked: () => void, events: TunnelEvents) => void

/** What a proxy says of itself it would say for every address. */
const concernsAddress = ({ reason }: ProxyFailure): boolean => reason === "Refused" || reason === "Ended"

/**
 * Has a proxy open a tunnel to the address that lets it first, as connections without one are made (RFC 8305 §5): the next
 * one is tried when the last one was asked for `attemptDelay` ago, or at once when it was refused.
 */
export const tunnelToAny = (
  dial: Dial,
  addresses: ReadonlyArray<Address>,
  open: OpenTunnel,
  time: Pick<HostTime, "elapsed" | "sleep">,
  events: TunnelEvents
): void => {
  const race = new AddressRace<ProxyFailure>(addresses)
  const parts = new Set<Dial>()
  let isOver = false
  const over = (winner?: Dial) => {
    isOver = true
    alarm.cancel()
    for (const part of parts) if (part !== winner) part.giveUp()
  }
  const alarm = new Alarm(time, () => {
    if (!isOver && !dial.isClosed) next()
  })
  const next = (): void => {
    const address = race.start(time.elapsed())
    if (address === undefined) return
    const part = dial.part()
    parts.add(part)
    dial.stage = () => part.stage()
    open(part, address, () => {
      if (race.hasMore) alarm.set(attemptDelay)
    }, {
      onOpened: (opened) => {
        if (isOver) return
        over(part)
        part.done()
        events.onOpened(opened)
      },
      onFailed: (failure) => {
        if (isOver) return
        over()
        events.onFailed(failure)
      },
      onRefused: (failure, cause) => {
        if (isOver) return
        race.failed(address, failure)
        if (!concernsAddress(failure)) {
          over()
          return events.onRefused(failure, cause)
        }
        part.giveUp()
        parts.delete(part)
        if (race.hasMore) return next()
        if (!race.isLost) return
        over()
        events.onRefused({ ...failure, detail: detailOf(race, failure) }, cause)
      }
    })
  }
  dial.onClosing(() => {
    isOver = true
    alarm.cancel()
    for (const part of parts) part.stop()
  })
  next()
}

/** Of several refusals all are told, each with its address. */
const detailOf = ({ attempts }: AddressRace<ProxyFailure>, { detail }: ProxyFailure): string =>
  attempts.length === 1
    ? detail
    : `it opened a tunnel to none of the addresses: ${
      attempts.map(({ address: { address }, failure }) => `${authorityOf(address)} (${failure?.detail})`).join(", ")
    }`
