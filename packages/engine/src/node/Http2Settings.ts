/** How HTTP/2 connections behave. Durations are in milliseconds, sizes in bytes; the face documents and checks them. */
export interface Http2Settings {
  readonly priorKnowledge: boolean
  readonly maxConcurrentStreams: number
  readonly initialWindowSize: number
  readonly connectionWindowSize: number
  readonly maxHeaderListSize: number
  readonly pingInterval: number
  readonly pingTimeout: number
  readonly coalescing: boolean
  /** Which implementation carries the connections. */
  readonly engine: "own" | "node"
}
