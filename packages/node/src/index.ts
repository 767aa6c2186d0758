/**
 * @since 0.1.0
 */
export * as Http2Options from "./Http2Options.js"
export * as HttpClientLayer from "./HttpClientLayer.js"
export * as NodeConnector from "./NodeConnector.js"
export type * as TlsOptions from "./TlsOptions.js"
