import type { ExchangeHead, ExchangeReceiver } from "./Connection.js"
import type * as Failure from "./Failure.js"

/** Passes on all that an exchange reports. For a connection that goes through another one and changes some of it. */
export class PassingReceiver implements ExchangeReceiver {
  constructor(protected readonly receiver: ExchangeReceiver) {}

  onWritten(): void {
    this.receiver.onWritten()
  }

  onSent(): void {
    this.receiver.onSent()
  }

  onDrain(): void {
    this.receiver.onDrain()
  }

  onProgress(): void {
    this.receiver.onProgress()
  }

  onInformational(head: ExchangeHead): void {
    this.receiver.onInformational(head)
  }

  onHead(head: ExchangeHead): void {
    this.receiver.onHead(head)
  }

  onData(bytes: Uint8Array): void {
    this.receiver.onData(bytes)
  }

  onComplete(trailers: ReadonlyArray<string>): void {
    this.receiver.onComplete(trailers)
  }

  onError(failure: Failure.Failure): void {
    this.receiver.onError(failure)
  }
}
