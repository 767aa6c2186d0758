/**
 * A network in memory, in bytes: what sockets and servers are there. When things happen, and what responds to a request, is
 * a face's.
 */
export * from "./Breathing.js"
export * from "./checks.js"
export { Http1Server } from "./Http1Server.js"
export { Http2Server, type Http2ServerOptions } from "./Http2Server.js"
export * from "./MemorySocket.js"
export * from "./MemoryTime.js"
export * from "./Outlet.js"
export * from "./Pipe.js"
export { ReceivedContent } from "./ReceivedContent.js"
export * from "./RequestReader.js"
export * from "./responseHead.js"
export type { Served, ServedReply, ServedRequest, ServerOptions } from "./Served.js"
export { ServerSocket, type Taken } from "./ServerSocket.js"
