import { opensTunnel } from "@sluice/engine/call"
import { chunkEnd, chunkHead } from "@sluice/engine/http1"
import {
  encodeHead,
  frame,
  type Framing,
  fromLatin1,
  hasContent,
  joinBytes,
  type PipeReader,
  type RequestHandler,
  type RequestHead,
  RequestReader
} from "@sluice/engine/memory"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type { TransportError } from "../../../TransportError.js"
import type * as models from "../memoryModels.js"
import { MemoryRequest } from "../MemoryRequest.js"
import type { MemoryRuntime } from "./MemoryRuntime.js"
import type { ServerSocket } from "./ServerSocket.js"

export interface ServerOptions {
  /** The connection as the test sees it. */
  readonly connection: models.Server
  readonly socket: ServerSocket
  readonly runtime: MemoryRuntime
  readonly window: number
  readonly respond: (request: MemoryRequest) => Effect.Effect<models.Reply, TransportError>
  readonly onRequest: (request: models.Request) => void
  /** The client broke a rule of the protocol. */
  readonly onFault: (fault: string) => void
  /** What the test lets the client fail with: it is broken off after this. The one stream of HTTP/1.1 is 1. */
  readonly onScripted: (cause: Cause.Cause<TransportError>, streamId: number) => void
}

/** A request that was read, or is being read, and the fiber that responds to it. */
interface Served {
  readonly request: MemoryRequest
  readonly fiber: Fiber.Fiber<void>
  isTunnel: boolean
  /** Nothing follows its response. */
  isLast: boolean
  hasReplied: boolean
}

const encode = (part: string | Uint8Array) => typeof part === "string" ? new TextEncoder().encode(part) : part

/** The server of a connection in memory: requests in as bytes, responses out as bytes, one after the other. */
export class Http1Server implements PipeReader, RequestHandler {
  readonly requests: Array<models.Request> = []
  private readonly reader = new RequestReader(this)
  private served: Served | undefined = undefined
  private readonly fibers = new Set<Fiber.Fiber<void>>()

  constructor(private readonly options: ServerOptions) {
    options.socket.readWith(this)
  }

  get active(): number {
    return this.served?.request.state === "Running" ? 1 : 0
  }

  // From the client

  onBytes(bytes: Uint8Array): void {
    this.reader.feed(bytes)
  }

  onEnd(): void {
    if (this.served?.isTunnel === true) this.served.request.complete()
    else this.onReset()
  }

  /** The client is gone: nobody wants the response. */
  onReset(): void {
    this.options.socket.reset()
    const { served } = this
    if (served === undefined) return
    this.served = undefined
    // A tunnel ends so, and both sides may have ended before.
    if (served.request.state === "Running") served.request.state = served.hasReplied ? "Responded" : "Cancelled"
    served.fiber.interruptUnsafe()
  }

  onHead(head: RequestHead): void {
    const { connection, onRequest, runtime, socket, window } = this.options
    const request: MemoryRequest = new MemoryRequest(connection, head, window, () => {
      if (request.hasRoom) socket.resume()
    })
    if (head.headers["expect"]?.toLowerCase() === "100-continue") {
      request.onFirstRead = () => socket.unsafeWrite(encodeHead(100))
    }
    const run = Effect.suspend(() => this.options.respond(request)).pipe(
      Effect.flatMap((reply) => this.reply(request, reply)),
      Effect.catchCause((cause) => Effect.sync(() => this.onCause(request, cause)))
    )
    const fiber = runtime.fork(Effect.interruptible(run))
    this.fibers.add(fiber)
    fiber.addObserver(() => this.fibers.delete(fiber))
    this.served = {
      request,
      fiber,
      isTunnel: false,
      isLast: /(^|,)\s*close\s*(,|$)/i.test(head.headers["connection"] ?? ""),
      hasReplied: false
    }
    this.requests.push(request)
    onRequest(request)
  }

  onBody(bytes: Uint8Array): void {
    const { served } = this
    // What comes after the response is read and thrown away.
    if (served === undefined || (served.hasReplied && !served.isTunnel)) return
    served.request.receive(bytes)
    if (!served.request.hasRoom) this.options.socket.pause()
  }

  onMessageEnd(trailers: Readonly<Record<string, string>>): void {
    this.served?.request.complete(trailers)
    this.next()
  }

  onInvalid(why: string): void {
    this.options.onFault(why)
    this.options.socket.unsafeWrite(
      fromLatin1("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    )
    this.options.socket.close()
  }

  // From the test

  /** Interrupts those who respond, and waits for them. */
  readonly end: Effect.Effect<void> = Effect.suspend(() => {
    const fibers = [...this.fibers]
    this.onReset()
    return Fiber.interruptAll(fibers)
  })

  /** What is under way has failed: the connection was closed or reset by the test. */
  breakOff(): void {
    const { served } = this
    if (served === undefined) return
    this.served = undefined
    if (served.request.state === "Running") served.request.state = "Failed"
    served.fiber.interruptUnsafe()
  }

  private reply(request: MemoryRequest, reply: models.Reply): Effect.Effect<void, TransportError> {
    return Effect.suspend(() => {
      const { served } = this
      if (served?.request !== request) return Effect.never
      const { socket } = this.options
      const { body = "", interim = [], raw, status = 200 } = reply
      if (raw !== undefined) {
        const chunks = typeof raw === "string" || raw instanceof Uint8Array ? Stream.make(raw) : raw
        return Effect.andThen(
          Stream.runForEach(chunks, (chunk) => socket.write(typeof chunk === "string" ? fromLatin1(chunk) : chunk)),
          Effect.sync(() => this.finish(served, reply))
        )
      }
      for (const { headers, status = 103 } of interim) socket.unsafeWrite(encodeHead(status, headers))
      const isTunnel = opensTunnel(request.method, status)
      const { framing, headers } = frame(request, reply, isTunnel)
      if (isTunnel) {
        served.isTunnel = true
        request.reopen()
      }
      const head = encodeHead(status, headers)
      const isSent = isTunnel || hasContent(request.method, status)
      if (!isSent || typeof body === "string" || body instanceof Uint8Array) {
        const content = isSent ? encode(body as string | Uint8Array) : new Uint8Array()
        const end = isSent ? last(framing, reply.trailers) : new Uint8Array()
        return Effect.map(
          socket.write(joinBytes([head, chunk(framing, content), end])),
          () => this.finish(served, reply)
        )
      }
      // The head goes out at once, however long the body takes.
      socket.unsafeWrite(head)
      if (isTunnel) this.reader.becomeTunnel()
      return Effect.andThen(
        Stream.runForEach(body, (part) => socket.write(chunk(framing, encode(part)))),
        Effect.suspend(() => {
          socket.unsafeWrite(last(framing, reply.trailers))
          return Effect.sync(() => this.finish(served, reply))
        })
      )
    })
  }

  /** The response is written. */
  private finish(served: Served, { headers = {} }: models.Reply): void {
    if (this.served !== served) return
    served.hasReplied = true
    if (served.isTunnel) {
      this.reader.becomeTunnel()
      return this.options.socket.end()
    }
    served.request.state = "Responded"
    for (const [name, value] of Object.entries(headers)) {
      if (name.toLowerCase() === "connection" && /(^|,)\s*close\s*(,|$)/i.test(String(value))) served.isLast = true
    }
    // What is still to come of the request is thrown away.
    this.options.socket.resume()
    this.next()
  }

  /** When request and response are complete, the next request may begin. */
  private next(): void {
    const { served } = this
    if (served === undefined || !served.hasReplied || !served.request.isComplete || served.isTunnel) return
    this.served = undefined
    if (served.isLast) this.options.socket.close()
    else this.reader.next()
  }

  private onCause(request: MemoryRequest, cause: Cause.Cause<TransportError>): void {
    if (Cause.hasInterruptsOnly(cause) || this.served?.request !== request) return
    request.state = "Failed"
    this.served = undefined
    this.options.onScripted(cause, 1)
    this.options.socket.reset()
  }
}

const chunk = (framing: Framing, bytes: Uint8Array): Uint8Array =>
  framing !== "Chunked" || bytes.length === 0
    ? bytes
    : joinBytes([fromLatin1(chunkHead(bytes.length)), bytes, fromLatin1(chunkEnd)])

const last = (framing: Framing, trailers: models.Reply["trailers"] = {}): Uint8Array =>
  framing === "Chunked"
    ? fromLatin1(`0\r\n${Object.entries(trailers).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`)
    : new Uint8Array()
