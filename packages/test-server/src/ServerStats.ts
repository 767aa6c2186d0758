/**
 * What the server counts.
 *
 * @since 0.1.0
 */

/**
 * The server's own counts at one moment, over its whole life.
 *
 * A connection is open from the moment the server accepts it (before any TLS handshake) until the server has closed it
 * or has seen the client's end.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerStats {
  readonly connectionsOpened: number

  readonly openConnections: number

  /**
   * The most that were open at once. A client that closes one connection and then opens another can be seen in the
   * other order, because both reach the server as events without an order; so a new connection counts here only after
   * the server has had the time (four turns of its event loop) to see the ends that came before it, and if it is still
   * open then.
   */
  readonly maxOpenConnections: number

  /** Requests whose head has come. */
  readonly requests: number

  /** Replies that were completed. */
  readonly responses: number

  /** Requests that are being received or responded to now. */
  readonly activeRequests: number

  readonly maxActiveRequests: number

  /** Requests by connection, in the order in which the connections were opened. */
  readonly requestsPerConnection: ReadonlyArray<number>

  /** The most requests that were active at once on any one connection: above 1 only with HTTP/2 or pipelining. */
  readonly maxConcurrentStreams: number

  /** HTTP/1.1 requests that arrived before the one in front of them was responded to. */
  readonly pipelinedRequests: number

  /** What clients sent that is no proper request, in words. */
  readonly malformed: ReadonlyArray<string>

  /** Requests whose connection or stream ended before the reply was complete, unless the reply was to break off. */
  readonly abandonedRequests: number

  /** TLS handshakes completed. */
  readonly tlsHandshakes: number

  /** TLS handshakes among these that resumed an earlier session. */
  readonly tlsResumed: number

  /** TLS handshakes that failed, in words. */
  readonly tlsFailures: ReadonlyArray<string>

  /** Handshakes that the server spoiled, as `handshake` or `resumption` of its TLS options say. */
  readonly tlsFaults: number

  /** Bytes of request bodies. */
  readonly bodyBytesReceived: number

  /**
   * What connections were given without having asked for it: each action of a `Reply.Late`, and each connection of
   * `writeUnasked`. It is counted when the bytes are handed to the socket.
   */
  readonly unaskedActions: number

  /** Tunnels that were opened (`Reply.tunnel`, SOCKS5). */
  readonly tunnelsOpened: number

  readonly openTunnels: number

  /** What the script itself did wrong, in words: none of it is a client's fault. */
  readonly scriptErrors: ReadonlyArray<string>
}
