import * as Effect from "effect/Effect"
import type { ConnectionInfo, TlsInfo } from "../ConnectionInfo.js"
import type { ReceivedRequest } from "../ReceivedRequest.js"
import type { ServerEvent } from "../ServerEvent.js"
import type { ServerStats } from "../ServerStats.js"
import type { ReceivedHead } from "./received.js"
import { Received } from "./received.js"
import { Signal } from "./signal.js"
import { afterFourTurns } from "./turns.js"

/** What is counted for one connection. */
export interface Account {
  readonly number: number
  readonly remotePort: number | undefined
  open: boolean
  protocol: ConnectionInfo["protocol"]
  tls: TlsInfo | undefined
  requests: number
  active: number
}

const maxNotes = 1000

/** Counts and records what happens; every change wakes its waiters. */
export class Ledger {
  readonly changed = new Signal()
  readonly received: Array<Received> = []
  private readonly accounts: Array<Account> = []
  private readonly perConnection: Array<number> = []
  private readonly malformed: Array<string> = []
  private readonly tlsFailures: Array<string> = []
  private readonly scriptErrors: Array<string> = []
  private open = 0
  /** Open, and for so long that the ends of connections before it have been seen: younger ones may stand for these. */
  private readonly established = new Set<Account>()
  private maxOpen = 0
  private requests = 0
  private responses = 0
  private active = 0
  private maxActive = 0
  private maxStreams = 0
  private pipelined = 0
  private abandoned = 0
  private tlsHandshakes = 0
  private tlsResumed = 0
  private bodyBytes = 0
  private unaskedActions = 0
  private tlsFaults = 0
  private tunnelsOpened = 0
  private openTunnels = 0

  constructor(
    private readonly maxRecordedRequests: number,
    private readonly maxRecordedBody: number,
    private readonly onEvent: (event: ServerEvent) => void = () => {}
  ) {}

  connectionOpened(remotePort: number | undefined): Account {
    const account: Account = {
      number: this.perConnection.length,
      remotePort,
      open: true,
      protocol: undefined,
      tls: undefined,
      requests: 0,
      active: 0
    }
    this.perConnection.push(0)
    if (this.accounts.length < this.maxRecordedRequests) this.accounts.push(account)
    this.open++
    this.maxOpen = Math.max(this.maxOpen, 1)
    afterFourTurns(() => {
      if (!account.open) return
      this.established.add(account)
      if (this.established.size <= this.maxOpen) return
      this.maxOpen = this.established.size
      this.changed.notify()
    })
    this.changed.notify()
    return account
  }

  connectionClosed(account: Account): void {
    if (!account.open) return
    account.open = false
    this.open--
    this.established.delete(account)
    this.changed.notify()
  }

  requestStarted(account: Account, head: Omit<ReceivedHead, "connection" | "index">, pipelined: boolean): Received {
    const received = new Received(
      { ...head, connection: account.number, index: account.requests },
      this.maxRecordedBody
    )
    account.requests++
    account.active++
    this.perConnection[account.number] = account.requests
    this.requests++
    this.active++
    this.maxActive = Math.max(this.maxActive, this.active)
    this.maxStreams = Math.max(this.maxStreams, account.active)
    if (pipelined) this.pipelined++
    if (this.received.length < this.maxRecordedRequests) this.received.push(received)
    this.changed.notify()
    return received
  }

  bodyReceived(request: Received, bytes: Uint8Array): void {
    this.bodyBytes += bytes.length
    request.append(bytes)
    this.changed.notify()
  }

  requestComplete(request: Received, trailers: ReadonlyArray<readonly [string, string]>): void {
    request.finish(trailers)
    this.changed.notify()
  }

  requestEnded(account: Account, request: Received, outcome: "completed" | "abandoned" | "broken off"): void {
    account.active--
    this.active--
    if (outcome === "completed") this.responses++
    if (outcome === "abandoned") this.abandoned++
    this.changed.notify()
    const { bodyBytesSent, startedAt, status } = request
    const milliseconds = performance.now() - startedAt
    this.onEvent({ _tag: "Ended", request, outcome, status, bodyBytesSent, milliseconds })
  }

  tunnelOpened(): void {
    this.tunnelsOpened++
    this.openTunnels++
    this.changed.notify()
  }

  tunnelClosed(): void {
    this.openTunnels--
    this.changed.notify()
  }

  unaskedAction(): void {
    this.unaskedActions++
    this.changed.notify()
  }

  tlsFault(): void {
    this.tlsFaults++
    this.changed.notify()
  }

  scriptError(reason: string): void {
    if (this.scriptErrors.length < maxNotes) this.scriptErrors.push(reason)
    this.changed.notify()
    this.onEvent({ _tag: "ScriptError", reason })
  }

  malformedInput(reason: string): void {
    if (this.malformed.length < maxNotes) this.malformed.push(reason)
    this.changed.notify()
    this.onEvent({ _tag: "Malformed", reason })
  }

  tlsCompleted(account: Account, info: TlsInfo): void {
    account.tls = info
    this.tlsHandshakes++
    if (info.resumed) this.tlsResumed++
    this.changed.notify()
  }

  tlsFailed(reason: string): void {
    if (this.tlsFailures.length < maxNotes) this.tlsFailures.push(reason)
    this.changed.notify()
    this.onEvent({ _tag: "TlsFailed", reason })
  }

  connections(): ReadonlyArray<ConnectionInfo> {
    return this.accounts.map(({ active, ...rest }) => ({ ...rest, activeRequests: active }))
  }

  snapshot(): ServerStats {
    return {
      connectionsOpened: this.perConnection.length,
      openConnections: this.open,
      maxOpenConnections: this.maxOpen,
      requests: this.requests,
      responses: this.responses,
      activeRequests: this.active,
      maxActiveRequests: this.maxActive,
      requestsPerConnection: [...this.perConnection],
      maxConcurrentStreams: this.maxStreams,
      pipelinedRequests: this.pipelined,
      malformed: [...this.malformed],
      abandonedRequests: this.abandoned,
      tlsHandshakes: this.tlsHandshakes,
      tlsResumed: this.tlsResumed,
      tlsFailures: [...this.tlsFailures],
      tlsFaults: this.tlsFaults,
      bodyBytesReceived: this.bodyBytes,
      unaskedActions: this.unaskedActions,
      tunnelsOpened: this.tunnelsOpened,
      openTunnels: this.openTunnels,
      scriptErrors: [...this.scriptErrors]
    }
  }

  /** The counts once everything that has reached the server's sockets by now has been seen. */
  readonly settled: Effect.Effect<ServerStats> = Effect.async((resume) => {
    afterFourTurns(() => resume(Effect.sync(() => this.snapshot())))
  })

  awaitStats(predicate: (stats: ServerStats) => boolean): Effect.Effect<ServerStats> {
    return this.changed.until(() => {
      const stats = this.snapshot()
      return predicate(stats) ? stats : undefined
    })
  }

  awaitRequest(predicate: (request: ReceivedRequest) => boolean): Effect.Effect<ReceivedRequest> {
    return this.changed.until(() => this.received.find(predicate))
  }
}
