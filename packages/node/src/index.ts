/**
 * @since 0.1.0
 */
export * as HttpClientLayer from "./HttpClientLayer.js"
export * as NodeConnector from "./NodeConnector.js"
export type * as TlsOptions from "./TlsOptions.js"
