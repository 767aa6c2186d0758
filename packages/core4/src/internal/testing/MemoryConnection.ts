import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type {
  Connection,
  ConnectionListener,
  Exchange,
  ExchangeReceiver,
  ExchangeRequest,
  Protocol
} from "../../Connection.js"
import type { Origin } from "../../Origin.js"
import type { TransportError } from "../../TransportError.js"
import { type ExchangeHost, MemoryExchange } from "./MemoryExchange.js"
import type * as models from "./memoryModels.js"
import type { MemoryRequest } from "./MemoryRequest.js"

export interface ConnectionOptions {
  readonly number: number
  readonly origin: Origin
  readonly endpoint: models.Endpoint
  readonly listener: ConnectionListener
  readonly runtime: Context.Context<never>
  readonly respond: (request: MemoryRequest) => Effect.Effect<models.Reply, TransportError>
  readonly onRequest: (request: models.Request) => void
  readonly onFault: (fault: string) => void
}

/**
 * Both ends of a connection: what the pool and the client see of it, and what the test sees as its server.
 */
export class MemoryConnection implements Connection, ExchangeHost {
  readonly number: number
  readonly origin: Origin
  readonly protocol: Protocol
  readonly window: number
  readonly remoteAddress = "memory"
  readonly requests: Array<models.Request> = []
  readonly respond: ConnectionOptions["respond"]
  capacity: number
  reusable = true
  keepAliveHint: number | undefined = undefined
  isOpen = true
  maxActive = 0
  private readonly exchanges = new Set<MemoryExchange>()

  constructor(private readonly options: ConnectionOptions) {
    const { capacity = 100, protocol = "http/1.1", window = 65_536 } = options.endpoint
    this.number = options.number
    this.origin = options.origin
    this.protocol = protocol
    this.window = window
    this.respond = options.respond
    this.capacity = protocol === "h2" ? capacity : 1
  }

  get active(): number {
    return this.exchanges.size
  }

  // ---------------------------------------------------------------------------------------------------------------
  // For the client
  // ---------------------------------------------------------------------------------------------------------------

  exchange(request: ExchangeRequest, receiver: ExchangeReceiver): Exchange {
    this.check(request)
    if (this.protocol === "http/1.1") this.reusable = false
    const exchange = new MemoryExchange(this, request, receiver, this.options.runtime)
    this.exchanges.add(exchange)
    this.maxActive = Math.max(this.maxActive, this.active)
    this.requests.push(exchange.request)
    this.options.onRequest(exchange.request)
    return exchange
  }

  exchangeEnded(exchange: MemoryExchange, reply: models.Reply | undefined): void {
    this.exchanges.delete(exchange)
    if (this.protocol === "h2") return
    const { connection = "", "keep-alive": keepAlive = "" } = reply?.headers ?? {}
    const timeout = /timeout=(\d+)/.exec(String(keepAlive))
    if (timeout !== null) this.keepAliveHint = Number(timeout[1]) * 1000
    // Nothing but a clean end of both directions makes it fit for another exchange.
    this.reusable = reply !== undefined && exchange.sent && String(connection).toLowerCase() !== "close" && this.isOpen
    if (!this.reusable) this.isOpen = false
  }

  exchangeFailed(): void {
    if (this.protocol === "http/1.1") this.options.listener.onClosed("Failed")
  }

  /** The socket is closed here. Ends when no fiber of it is left. */
  readonly end: Effect.Effect<void> = Effect.suspend(() => {
    const fibers = Array.from(this.exchanges, (exchange) => exchange.fiber)
    this.breakOff("PoolClosed", "the connection was closed here")
    return Fiber.interruptAll(fibers)
  })

  // ---------------------------------------------------------------------------------------------------------------
  // For the test
  // ---------------------------------------------------------------------------------------------------------------

  close(): void {
    if (!this.isOpen) return
    this.breakOff("Ended", "the server closed the connection")
    this.options.listener.onClosed("ClosedByPeer")
  }

  reset(): void {
    if (!this.isOpen) return
    this.breakOff("Reset", "the server reset the connection")
    this.options.listener.onClosed("Failed")
  }

  send(): void {
    this.options.onFault("bytes of one's own: HTTP/2 in memory has no bytes")
  }

  goAway(): void {
    this.reusable = false
    this.options.listener.onDraining()
  }

  setCapacity(capacity: number): void {
    this.capacity = capacity
    this.options.listener.onCapacity(capacity)
  }

  // ---------------------------------------------------------------------------------------------------------------

  private breakOff(reason: "Ended" | "Reset" | "PoolClosed", detail: string): void {
    this.isOpen = false
    this.reusable = false
    for (const exchange of this.exchanges) exchange.breakOff(reason, detail)
  }

  private check(request: ExchangeRequest): void {
    const fault = (what: string) => this.options.onFault(`${request.method} ${request.target}: ${what}`)
    if (!this.isOpen) fault(`connection ${this.number} is closed`)
    if (this.protocol === "http/1.1" && this.active > 0) fault(`connection ${this.number} carries a request already`)
    if (request.origin.key !== this.origin.key) {
      fault(`for ${request.origin.key}, on a connection to ${this.origin.key}`)
    }
  }
}
