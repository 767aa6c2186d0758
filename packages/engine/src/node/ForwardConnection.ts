import type { Connection, Exchange, ExchangeHead, ExchangeReceiver, ExchangeRequest } from "../Connection.js"
import * as Failure from "../Failure.js"
import { PassingReceiver } from "../PassingReceiver.js"
import { proxyHeaders } from "./proxyHeaders.js"
import type { KnownProxy } from "./ProxySettings.js"
import { queueMicrotask } from "./runtime.js"

/**
 * A connection to a proxy that is sent requests as they are, with their whole URL (RFC 9112 §3.2.2). It serves all
 * `http:` origins.
 */
export class ForwardConnection implements Connection {
  readonly protocol = "http/1.1" as const

  constructor(private readonly connection: Connection, private readonly proxy: KnownProxy) {}

  get capacity(): number {
    return this.connection.capacity
  }
  get reusable(): boolean {
    return this.connection.reusable
  }
  get remoteAddress(): string | undefined {
    return this.connection.remoteAddress
  }
  get tlsTime(): number | undefined {
    return this.connection.tlsTime
  }
  get keepAliveHint(): number | undefined {
    return this.connection.keepAliveHint
  }

  exchange(request: ExchangeRequest, receiver: ExchangeReceiver): Exchange {
    const { headers, origin, target } = request
    let ours: Readonly<Record<string, string>>
    try {
      ours = proxyHeaders(this.proxy, () => new URL(origin.href + target))
    } catch (cause) {
      return new FailedExchange(receiver, this.thrown(request, cause))
    }
    // What changes of the request while it is sent has to be seen through this one. The server as a whole is its URL
    // without a path (RFC 9112 §3.2.4).
    const forwarded = Object.create(request, {
      target: { value: origin.href + (target === "*" ? "" : target) },
      headers: { value: { ...ours, ...headers } }
    }) as ExchangeRequest
    const through = new ForwardReceiver(receiver, (status, body) => this.refused(request, status, body))
    return through.exchange = this.connection.exchange(forwarded, through)
  }

  private thrown({ origin }: ExchangeRequest, cause: unknown): Failure.ProxyError {
    return Failure.proxyError({
      origin: origin.href,
      proxy: this.proxy.href,
      reason: "Configuration",
      phase: "send",
      written: false,
      safeToRetry: false,
      detail: "the function proxy.headers threw",
      cause
    })
  }

  private refused({ origin }: ExchangeRequest, status: number, body: string | undefined): Failure.ProxyError {
    return Failure.proxyError({
      origin: origin.href,
      proxy: this.proxy.href,
      reason: "Authentication",
      phase: "headers",
      written: true,
      safeToRetry: false,
      detail: `it refused the request with ${status}: it wants a user and a password, or other ones`,
      status,
      body
    })
  }
}

/** How much is kept of what comes with a refusal, in bytes. */
const maxBody = 1024

/** Passes on what is of the origin. A 407 never is: it is between the proxy and us (RFC 9110 §15.5.8). */
class ForwardReceiver extends PassingReceiver {
  exchange: Exchange | undefined = undefined
  private status = 0
  private readonly body: Array<Uint8Array> = []
  private length = 0

  constructor(
    receiver: ExchangeReceiver,
    private readonly refused: (status: number, body: string | undefined) => Failure.ProxyError
  ) {
    super(receiver)
  }

  override onHead(head: ExchangeHead): void {
    if (head.status === 407) this.status = 407
    else this.receiver.onHead(head)
  }

  override onData(bytes: Uint8Array): void {
    if (this.status === 0) return this.receiver.onData(bytes)
    this.body.push(bytes)
    this.length += bytes.length
    if (this.length >= maxBody) this.refuse()
    else this.receiver.onProgress()
  }

  override onComplete(trailers: ReadonlyArray<string>): void {
    if (this.status === 0) this.receiver.onComplete(trailers)
    else this.refuse()
  }

  override onError(failure: Failure.Failure): void {
    if (this.status === 0) this.receiver.onError(failure)
    else this.refuse()
  }

  /** If it has more to say, its connection is of no use. */
  private refuse(): void {
    this.exchange?.cancel("Unwanted")
    const text = Buffer.concat(this.body).subarray(0, maxBody).toString()
    this.receiver.onError(this.refused(this.status, text === "" ? undefined : text))
  }
}

/** One that could not begin. */
class FailedExchange implements Exchange {
  readonly written = false
  readonly sent = false
  readonly unwritten = 0
  private isOver = false

  constructor(receiver: ExchangeReceiver, failure: Failure.Failure) {
    queueMicrotask(() => {
      if (!this.isOver) receiver.onError(failure)
    })
  }

  write(): boolean {
    return false
  }
  end(): void {}
  pause(): void {}
  resume(): void {}
  cancel(): void {
    this.isOver = true
  }
}
