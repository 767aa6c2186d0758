import type { Cancel } from "../Host.js"
import type { ReceivedContent } from "./ReceivedContent.js"
import type { RequestHead } from "./RequestReader.js"
import type { ReplyHeaders } from "./responseHead.js"
import type { ServerSocket, Taken } from "./ServerSocket.js"

/** A request, as whoever responds to it sees it. */
export interface ServedRequest {
  readonly content: ReceivedContent
  /** `Cancelled`: whoever sent it abandoned it. */
  state: "Running" | "Responded" | "Failed" | "Cancelled"
}

/** A response, but for its content, which is a face's to run. */
export interface ServedReply {
  readonly status?: number | undefined
  readonly headers?: ReplyHeaders | undefined
  readonly body?: unknown
  readonly trailers?: Readonly<Record<string, string>> | undefined
  readonly interim?: ReadonlyArray<Pick<ServedReply, "status" | "headers">> | undefined
}

/** A request that waits for its response, over either protocol. */
export interface Served<Request extends ServedRequest> {
  readonly request: Request
  /** The number of its stream; the one stream of HTTP/1.1 is 1. */
  readonly streamId: number
  /** Whether anybody still wants the response. */
  readonly isServed: boolean
  /** Whether this response has content that comes bit by bit. */
  readonly isStreamed: (reply: ServedReply) => boolean
  /** All of a response that is not streamed. */
  readonly respond: (reply: ServedReply) => Taken
  /** The head of a response whose content comes bit by bit: it goes out at once, however long that takes. */
  readonly begin: (reply: ServedReply) => void
  readonly write: (content: Uint8Array) => Taken
  readonly end: (reply: ServedReply) => Taken
  /** These octets in the response's stead. */
  readonly writeRaw: (octets: Uint8Array) => Taken
  /** All of the response has been taken. */
  readonly finish: (reply: ServedReply) => void
  /** Whoever responds has failed. */
  readonly fail: () => void
}

export interface ServerOptions<Request extends ServedRequest> {
  readonly socket: ServerSocket
  /** How many bytes of a request's content wait while nobody reads them. */
  readonly window: number
  readonly makeRequest: (head: RequestHead, content: ReceivedContent, streamId: number | undefined) => Request
  /** Begins to respond, in a step of its own; what is returned stops that. */
  readonly serve: (served: Served<Request>) => Cancel
  readonly onRequest: (request: Request) => void
  /** The client broke a rule of the protocol. */
  readonly onFault: (fault: string) => void
}

/** Whether content is there whole, and no stream of a face. */
export const isWhole = (body: unknown): boolean =>
  body === undefined || typeof body === "string" || body instanceof Uint8Array

/** Content that is there whole, or none. */
export const contentOf = (body: unknown): Uint8Array =>
  typeof body === "string" ? new TextEncoder().encode(body) : body instanceof Uint8Array ? body : new Uint8Array()
