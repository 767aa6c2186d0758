/**
 * Sockets, TLS and the drivers of both protocols over Node.
 */
export * from "./Dial.js"
export * from "./Dialer.js"
export * from "./runtime.js"
export { check as checkTls } from "./tls.js"
export * from "./TlsSettings.js"
