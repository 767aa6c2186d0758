/**
 * Sockets, TLS and the drivers of both protocols over Node.
 */
export * from "./awsSignature.js"
export * as codings from "./codings/index.js"
export * from "./Dial.js"
export * from "./Dialer.js"
export { DigestCredentials } from "./digest.js"
export type { DriverRuntime } from "./DriverRuntime.js"
export { Http1Connection } from "./Http1Connection.js"
export { Http2Connection, sessionOptions } from "./Http2Connection.js"
export { layTls } from "./layTls.js"
export type { OriginSettings } from "./OriginNetwork.js"
export {
  type OriginOptions,
  type OriginsOption,
  readSettings,
  type SettingsByOrigin,
  settingsByOrigin
} from "./originSettings.js"
export * from "./ProxySettings.js"
export type { ReusePolicy } from "./reuse.js"
export * from "./runtime.js"
export type { SignedRequest } from "./SignedRequest.js"
export * from "./TlsSettings.js"
export type { Transport } from "./Transport.js"
