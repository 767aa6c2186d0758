/** Frames (RFC 9113 §4 and §6) by themselves, for servers of tests and for what measures them. The engine's session uses them inside. */
export type { FrameHandler } from "./FrameHandler.js"
export { FrameReader } from "./FrameReader.js"
export type { FrameReaderOptions } from "./FrameReader.js"
export * as FrameWriter from "./FrameWriter.js"
export { OutputBuffer } from "./OutputBuffer.js"
export { writeHeaders } from "./writeHeaders.js"
