/**
 * A network in memory, in bytes: what sockets and the reader of a server are there. When things happen, and what the server
 * does, is a face's.
 */
export * from "./Breathing.js"
export * from "./checks.js"
export * as http2Fields from "./http2Fields.js"
export * from "./MemorySocket.js"
export * from "./MemoryTime.js"
export * from "./Outlet.js"
export * from "./Pipe.js"
export * from "./RequestReader.js"
export * from "./responseHead.js"
