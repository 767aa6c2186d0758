/**
 * What the server received, for a test to look at.
 *
 * @since 0.1.0
 */

/**
 * One request as it came over the wire. The server goes on filling it in while the body arrives.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReceivedRequest {
  /** The number of the connection that brought it, from 0 in the order in which they were opened. */
  readonly connection: number

  /** Its position among the requests of its connection, from 0. */
  readonly index: number

  readonly protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2"

  readonly method: string

  /** The request target exactly as sent; on HTTP/2 the `:path`, and for CONNECT the `:authority`. */
  readonly target: string

  /** The path of the target, without the query. */
  readonly path: string

  /** All fields in order, with the letters that were sent. On HTTP/2 the pseudo fields are among them. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>

  /** The value of one field, whatever the letters of its name; several are joined by `", "`. */
  readonly header: (name: string) => string | undefined

  /** Fields that came after the body. */
  readonly trailers: ReadonlyArray<readonly [name: string, value: string]>

  /** The beginning of the body, as much as the server's `maxRecordedBody` allows. */
  readonly body: Uint8Array

  /** The same as text. It ends with a remark that says so when the body is longer than what was recorded. */
  readonly text: string

  /** How many bytes of body came, recorded or not. */
  readonly bodyLength: number

  /** Whether the body has come to its end. False for good when the client broke off. */
  readonly complete: boolean
}
