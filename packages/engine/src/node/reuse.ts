import type { ExchangeRequest } from "../Connection.js"
import type { Cancel } from "../Host.js"
import type { ResponseHead, ResponseParserOptions } from "../http1/index.js"
import type { DriverRuntime } from "./DriverRuntime.js"

/**
 * What becomes of an HTTP/1.1 connection after a response of 204, 205 or 304, which has no content by its status.
 *
 * - `"quarantine"`: it carries another request after a moment in which nothing has come that does not belong there.
 * - `"close"`: never.
 * - `"always"`: at once.
 */
export type ReuseAfterNoContent = "quarantine" | "close" | "always"

/** What all HTTP/1.1 connections to an origin have in common. */
export interface ReusePolicy {
  readonly runtime: DriverRuntime
  readonly parser: ResponseParserOptions
  readonly reuseAfterNoContent: ReuseAfterNoContent
  /** Sends bytes after responses that have none, or did within the last ten minutes. */
  readonly sendsLateBytes: () => boolean
  readonly onLateBytes: () => void
}

export type Reuse = "Never" | "Quarantined" | "AtOnce"

/** What of an exchange decides whether its connection may carry another one. */
interface FinishedExchange {
  readonly request: Pick<ExchangeRequest, "method" | "headers">
  /** The whole request has been written. */
  readonly sent: boolean
}

/** `Connection: close` from the caller ends the connection after this exchange (RFC 9112 §9.6). */
export const asksToClose = (headers: ExchangeRequest["headers"]): boolean => {
  const options = headers["connection"]
  return options !== undefined && /(^|,)\s*close\s*(,|$)/i.test(options)
}

/** These have no content whatever their header section says (RFC 9110 §15.3.5, §15.3.6, §15.4.5). */
const hasNoContent = (status: number): boolean => status === 204 || status === 205 || status === 304

/** How long a connection is kept from other requests, in milliseconds. */
const shortestQuarantine = 5
const longestQuarantine = 50

/**
 * Decides whether a connection is used again, and keeps it in quarantine where that is uncertain.
 *
 * A server that sends content where HTTP allows none (after HEAD, 204, 304, a refused CONNECT) sends it in a segment of
 * its own, often a moment later. No client can distinguish it from the response to the next request. So after what asks for such
 * mistakes a connection is never used again; after what seldom does, it is in quarantine first: it is read and lent to
 * nobody, which is a capacity of 0 to the pool, and any byte closes it.
 */
export class Quarantine {
  private isBodiless = false
  /** Changes with every quarantine, so that the end of an older one is not taken for its own. */
  private round = 0
  private cancelSleep: Cancel | undefined = undefined

  constructor(private readonly policy: ReusePolicy, private readonly onCapacity: (capacity: number) => void) {}

  reuseAfter({ request, sent }: FinishedExchange, head: ResponseHead): Reuse {
    const { headers, method } = request
    const isEmpty = hasNoContent(head.status)
    this.isBodiless = isEmpty || head.contentLength === 0
    if (!head.keepAlive || !sent || asksToClose(headers)) return "Never"
    if (method === "HEAD" || method === "CONNECT" || headers["upgrade"] !== undefined) return "Never"
    if (this.isBodiless && this.policy.sendsLateBytes()) return "Never"
    if (!isEmpty || this.policy.reuseAfterNoContent === "always") return "AtOnce"
    return this.policy.reuseAfterNoContent === "close" ? "Never" : "Quarantined"
  }

  /** `timeToHead` is how long the response took, in milliseconds: late bytes of a slow server are later. */
  begin(timeToHead: number): void {
    const { afterPoll, backgroundSleep, now } = this.policy.runtime
    const round = ++this.round
    const started = now()
    const millis = Math.max(shortestQuarantine, Math.min(timeToHead, longestQuarantine))
    const end = () => {
      if (round !== this.round) return
      // A timer may go off early by less than a millisecond.
      const rest = millis - (now() - started)
      if (rest > 0) this.cancelSleep = backgroundSleep(Math.ceil(rest), end)
      // The loop may have been blocked all the time: whatever has come by now is read first.
      else afterPoll(() => afterPoll(() => this.release(round)))
    }
    this.onCapacity(0)
    this.cancelSleep = backgroundSleep(millis, end)
  }

  private release(round: number): void {
    if (round !== this.round) return
    this.cancelSleep = undefined
    this.onCapacity(1)
  }

  /** Bytes have come that nobody asked for, while the connection was idle. */
  onLateBytes(): void {
    if (this.isBodiless) this.policy.onLateBytes()
  }

  /** The connection is closed. */
  end(): void {
    this.round++
    this.cancelSleep?.()
    this.cancelSleep = undefined
  }
}
