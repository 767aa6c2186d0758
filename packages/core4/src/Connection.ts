/**
 * What the pool manages, and how a request runs on it. Drivers implement it: `@sluice/node4` over sockets, the in-memory
 * network of `@sluice/core4/testing` over nothing.
 *
 * Everything here is synchronous and made of plain calls. A call never throws and never waits; what takes time comes
 * back as a call to a listener or receiver. That is what makes a request cheap, and every state visible.
 *
 * @since 0.1.0
 */
export type {
  /**
   * A connection to an origin. It belongs to the Scope it was made in: closing that Scope closes its socket.
   *
   * @since 0.1.0
   * @category models
   */
  Connection,
  /**
   * What a connection notifies the pool of, at any time after it was made.
   *
   * @since 0.1.0
   * @category models
   */
  ConnectionListener,
  /**
   * A running exchange, from the request's side.
   *
   * @since 0.1.0
   * @category models
   */
  Exchange,
  /**
   * The content of a request: none, all of it in one piece, or chunks that come by `Exchange.write`.
   *
   * @since 0.1.0
   * @category models
   */
  ExchangeBody,
  /**
   * The head of a response.
   *
   * @since 0.1.0
   * @category models
   */
  ExchangeHead,
  /**
   * What an exchange notifies its request of.
   *
   * @since 0.1.0
   * @category models
   */
  ExchangeReceiver,
  /**
   * A request as a connection sends it.
   *
   * @since 0.1.0
   * @category models
   */
  ExchangeRequest,
  /**
   * The protocols that a connection can speak, by their ALPN names (RFC 7301).
   *
   * @since 0.1.0
   * @category models
   */
  Protocol
} from "@sluice/engine"
