/**
 * Names, addresses and ways through networks, without I/O.
 */
export * from "./AddressPolicy.js"
export * from "./AddressRace.js"
export * from "./ConnectHandshake.js"
export { type Handshake, type HandshakeStep, type ProxyFailure, type ProxyFailureReason } from "./Handshake.js"
export * from "./hosts.js"
export * from "./IpAddress.js"
export * from "./NameCache.js"
export * from "./NoProxy.js"
export { hungUp, instead, looked } from "./otherProtocols.js"
export * from "./Proxy.js"
export * from "./proxyEnvironment.js"
export * from "./received.js"
export * from "./Router.js"
export * from "./Socks5Handshake.js"
export * from "./specialAddresses.js"
