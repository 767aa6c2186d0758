/** In milliseconds; `Infinity` turns one off. */
export interface RequestTimeouts {
  readonly pool: number
  readonly connect: number
  /** Silence of the server while its bytes are waited for. */
  readonly read: number
  /** The same before the first byte of the response, where it is not `read`. */
  readonly firstByte?: number | undefined
  /** How long the server may take none of our bytes. */
  readonly write: number
  /** From the last byte of the request to the end of the response head. */
  readonly headers: number
  /** From the call to the last byte of the response. */
  readonly total: number
}
