import type { Meter } from "./Meter.js"

/**
 * How one of the contenders does the work. Each is written as its own documentation recommends.
 */
export interface Client {
  /** `workers` loops, each sending one request after the other and reading its response, while `meter.more()`. */
  readonly load: (meter: Meter, workers: number) => Promise<void>
  /** Reads a large response as it comes, keeping nothing; returns its size. */
  readonly download?: (url: string) => Promise<number>
  /** Sends `count` times `chunk` as one body, as fast as it is taken. */
  readonly upload?: (url: string, chunk: Uint8Array, count: number) => Promise<void>
  /** Starts requests whose response never comes, and does not wait for them. */
  readonly hold?: (url: string, count: number) => void
  readonly close: () => Promise<void>
}

export interface ClientSettings {
  readonly url: string
  /** As many connections as it may have, and keep. */
  readonly connections: number
  /** Sent with POST, if it is there. */
  readonly body: Uint8Array | undefined
  /** Whether the fields of each request are others than those of all requests before. */
  readonly distinct?: boolean | undefined
  /** Where to send spans; nothing is traced if it is not there. */
  readonly traces: string | undefined
}

export type OpenClient = (settings: ClientSettings) => Promise<Client>

/** The loops of a client that returns promises. */
export const loops = (once: () => Promise<unknown>): Client["load"] => async (meter, workers) => {
  const loop = async () => {
    while (meter.more()) {
      const begun = meter.begin()
      meter.end(begun, await once())
    }
  }
  await Promise.all(Array.from({ length: workers }, loop))
}
