import type { Connection, ExchangeBody, ExchangeReceiver, ExchangeRequest } from "../../../src/Connection.js"
import type { Server } from "../../../src/testing/MemoryNetwork.js"

/** What a receiver was notified of, in words. */
export interface RecordingReceiver extends ExchangeReceiver {
  readonly said: Array<string>
}

export const receiver = (): RecordingReceiver => {
  const said: Array<string> = []
  return {
    said,
    onWritten: () => said.push("written"),
    onSent: () => said.push("sent"),
    onDrain: () => said.push("drain"),
    onProgress: () => said.push("progress"),
    onInformational: (head) => said.push(`interim ${head.status}`),
    onHead: (head) => said.push(`head ${[head.status, ...head.rawHeaders].join(" ")}`),
    onData: (bytes) => said.push(`data ${new TextDecoder().decode(bytes)}`),
    onComplete: (trailers) => said.push(["complete", ...trailers].join(" ")),
    onError: (error) => said.push(`error ${error._tag}`)
  }
}

export const get = (connection: Connection, body: ExchangeBody = { _tag: "None" }): ExchangeRequest => ({
  origin: (connection as Connection & Server).origin,
  method: "GET",
  target: "/",
  headers: {},
  body,
  retryable: true
})
