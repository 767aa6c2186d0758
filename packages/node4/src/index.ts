/**
 * Everything that an application on Node needs, of this package and of `@sluice/core4`. What tests need is in
 * `@sluice/core4/testing`.
 *
 * @since 0.1.0
 */
export {
  AddressPolicy,
  ConnectionPool,
  ContentCoding,
  Credentials,
  Deadline,
  Explanation,
  Files,
  Idempotency,
  InvalidOptions,
  JsonLines,
  Limits,
  PooledHttpClient,
  PoolEvent,
  PoolStats,
  Priority,
  Redirects,
  Resolver,
  Retry,
  Sse,
  Timeouts,
  Trailers,
  TransportError,
  Tunnel,
  Wrappers
} from "@sluice/core4"
export * as AwsSignature from "./AwsSignature.js"
export * as Digest from "./Digest.js"
export * as Http2Options from "./Http2Options.js"
export * as HttpClientLayer from "./HttpClientLayer.js"
export * as Netrc from "./Netrc.js"
export * as NodeCodecs from "./NodeCodecs.js"
export * as NodeConnector from "./NodeConnector.js"
export * as Proxy from "./Proxy.js"
export * as TlsOptions from "./TlsOptions.js"
