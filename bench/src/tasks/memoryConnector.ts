import type { Connection, Exchange, ExchangeHead, ExchangeReceiver, ExchangeRequest } from "@sluice/core/Connection"
import type { Connector } from "@sluice/core/Connector"
import * as Effect from "effect/Effect"

const head: ExchangeHead = { status: 200, rawHeaders: [], contentLength: 0 }

/** Requests to this host never get a response. */
export const silentHost = "silent.test"

/** A connection that dials in no time and responds in the next turn of the event loop, all requests of a turn at once. */
export const make = (): Connector => {
  let waiting: Array<() => void> = []
  const response = () => {
    const due = waiting
    waiting = []
    for (const send of due) send()
  }
  const connect = (): Connection => {
    const connection = {
      protocol: "http/1.1" as const,
      remoteAddress: undefined,
      capacity: 1,
      reusable: true,
      keepAliveHint: undefined,
      exchange: (request: ExchangeRequest, receiver: ExchangeReceiver): Exchange => {
        connection.reusable = false
        if (request.origin.host === silentHost) return exchange
        if (waiting.length === 0) setImmediate(response)
        waiting.push(() => {
          receiver.onHead(head)
          connection.reusable = true
          receiver.onComplete([])
        })
        return exchange
      }
    }
    return connection
  }
  return { connect: () => Effect.sync(connect), protocol: () => "http/1.1" }
}

const exchange: Exchange = {
  write: () => true,
  end: () => {},
  pause: () => {},
  resume: () => {},
  cancel: () => {},
  written: true,
  sent: true,
  unwritten: 0
}
