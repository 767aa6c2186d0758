/** A request, as credentials are computed of it. */
export interface SignedRequest {
  readonly method: string
  readonly url: URL
  /** Undefined: it is sent as it comes. */
  readonly body: string | Uint8Array | undefined
}
