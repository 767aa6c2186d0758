/** HPACK (RFC 7541) by itself, for what measures it and compares it with others. The engine's session uses it inside. */
export { HeaderField } from "./HeaderField.js"
export { HpackDecoder } from "./HpackDecoder.js"
export type { HpackDecoderOptions } from "./HpackDecoder.js"
export { HpackEncoder } from "./HpackEncoder.js"
export type { HpackEncoderOptions } from "./HpackEncoder.js"
export { sensitiveFields } from "./sensitiveFields.js"
export type { IsSensitive } from "./sensitiveFields.js"
