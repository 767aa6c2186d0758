/**
 * A request as a stream carries it.
 */
export interface StreamRequest {
  readonly origin: {
    readonly scheme: string
    /** Host and port, as in a URL. */
    readonly authority: string
  }
  readonly method: string
  /** Path and query; for a CONNECT without `protocol`, which has no body, `host:port`. */
  readonly target: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: StreamRequestBody
  /** What an extended CONNECT asks for, as in `websocket` (RFC 8441). */
  readonly protocol?: string | undefined
}

/**
 * - `None`: no content.
 * - `Bytes`: all of it, in one piece.
 * - `Chunks`: it comes by `Stream.write` and `Stream.end`; `length` is its size in bytes, if known.
 */
export type StreamRequestBody =
  | { readonly _tag: "None" }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "Chunks"; readonly length: number | undefined }

/** The head of a response. */
export interface ResponseHead {
  readonly status: number
  /** Flat: name, value, name, value, … Names in lower case, values without outer blanks. */
  readonly rawHeaders: ReadonlyArray<string>
  /** The size of the content in bytes, if the head says. */
  readonly contentLength: number | undefined
}

/** What a stream notifies its request of. After `onComplete` or `onError` nothing more comes, but for a tunnel. */
export interface StreamReceiver<E> {
  /** Bytes of the request that had been waiting were handed to the transport. */
  readonly onWritten: () => void
  /** The whole request was handed to the transport. */
  readonly onSent: () => void
  /** There is room for more chunks of the body, after `write` said that there was none. */
  readonly onDrain: () => void
  /** A piece of a header section has come that is not complete. */
  readonly onProgress: () => void
  readonly onInformational: (head: ResponseHead) => void
  readonly onHead: (head: ResponseHead) => void
  /** A chunk of the body. The receiver owns these bytes. */
  readonly onData: (bytes: Uint8Array) => void
  /** The response is complete on the wire. `trailers` is flat, as `rawHeaders`. */
  readonly onComplete: (trailers: ReadonlyArray<string>) => void
  readonly onError: (error: E) => void
}
