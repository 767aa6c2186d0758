/**
 * What the server knows of a connection.
 *
 * @since 0.1.0
 */

/**
 * One connection, as it is at the moment of asking.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConnectionInfo {
  /** From 0, in the order in which they were opened. */
  readonly number: number

  readonly open: boolean

  /** Undefined until the first bytes, or the end of a TLS handshake, have shown it. */
  readonly protocol: "HTTP/1.1" | "HTTP/2" | "SOCKS5" | undefined

  /** How many requests it has brought. */
  readonly requests: number

  /** How many of them are being received or responded to now. */
  readonly activeRequests: number

  /** The client's port; undefined over a Unix socket. */
  readonly remotePort: number | undefined

  /** Undefined over clear text, and until the handshake is done. */
  readonly tls: TlsInfo | undefined
}

/**
 * What a TLS handshake has brought.
 *
 * @since 0.1.0
 * @category models
 */
export interface TlsInfo {
  /** The host name that the client asked for (SNI). */
  readonly servername: string | undefined

  /** What ALPN chose. */
  readonly alpn: string | undefined

  /** For example `"TLSv1.3"`. */
  readonly version: string | undefined

  /** Whether an earlier session was resumed. */
  readonly resumed: boolean

  /** The common name of the client's certificate, whoever signed it. */
  readonly clientName: string | undefined

  /** Whether that certificate is by the server's authority. */
  readonly clientTrusted: boolean
}
