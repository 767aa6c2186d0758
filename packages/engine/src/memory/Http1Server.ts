import { opensTunnel } from "../call/index.js"
import type { Cancel } from "../Host.js"
import { chunkEnd, chunkHead } from "../http1/index.js"
import { fromLatin1 } from "./MemorySocket.js"
import { joinBytes } from "./Outlet.js"
import type { PipeReader } from "./Pipe.js"
import { ReceivedContent } from "./ReceivedContent.js"
import { type RequestHandler, type RequestHead, RequestReader } from "./RequestReader.js"
import { encodeHead, frame, type Framing, hasContent } from "./responseHead.js"
import { contentOf, isWhole, type Served, type ServedReply, type ServedRequest, type ServerOptions } from "./Served.js"
import type { Taken } from "./ServerSocket.js"

/** The server of a connection in memory: requests in as bytes, responses out as bytes, one after the other. */
export class Http1Server<Request extends ServedRequest> implements PipeReader, RequestHandler {
  readonly requests: Array<Request> = []
  private readonly reader = new RequestReader(this)
  /** The request that was read, or is being read. */
  private served: Http1Served<Request> | undefined = undefined

  constructor(private readonly options: ServerOptions<Request>) {
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
    if (this.served?.isTunnel === true) this.served.request.content.complete()
    else this.onReset()
  }

  /** The client is gone: nobody wants the response. */
  onReset(): void {
    this.options.socket.reset()
    const { served } = this
    // A tunnel ends so, and both sides may have ended before.
    if (served !== undefined) this.leave(served, served.hasReplied ? "Responded" : "Cancelled")
  }

  onHead(head: RequestHead): void {
    const { makeRequest, onRequest, serve, socket, window } = this.options
    const content: ReceivedContent = new ReceivedContent(window, () => {
      if (content.hasRoom) socket.resume()
    })
    if (head.headers["expect"]?.toLowerCase() === "100-continue") {
      content.onFirstRead = () => void socket.write(encodeHead(100))
    }
    const request = makeRequest(head, content, undefined)
    const served = this.served = new Http1Served(
      this,
      head,
      request,
      this.options.socket,
      closes(head.headers["connection"])
    )
    served.stop = serve(served)
    this.requests.push(request)
    onRequest(request)
  }

  onBody(bytes: Uint8Array): void {
    const { served } = this
    // What comes after the response is read and thrown away.
    if (served === undefined || (served.hasReplied && !served.isTunnel)) return
    const { content } = served.request
    content.receive(bytes)
    if (!content.hasRoom) this.options.socket.pause()
  }

  onMessageEnd(trailers: Readonly<Record<string, string>>): void {
    this.served?.request.content.complete(trailers)
    this.next()
  }

  onInvalid(why: string): void {
    this.options.onFault(why)
    this.options.socket.write(
      fromLatin1("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    )
    this.options.socket.close()
  }

  // From the test

  /** What is under way has failed: the connection was closed or reset by the test. */
  breakOff(): void {
    if (this.served !== undefined) this.leave(this.served, "Failed")
  }

  private leave(served: Http1Served<Request>, state: ServedRequest["state"]): void {
    this.served = undefined
    if (served.request.state === "Running") served.request.state = state
    served.stop()
  }

  // From who responds

  isServed(served: Http1Served<Request>): boolean {
    return this.served === served
  }

  becomeTunnel(): void {
    this.reader.becomeTunnel()
  }

  /** The response is written. */
  finish(served: Http1Served<Request>): void {
    served.hasReplied = true
    if (served.isTunnel) {
      this.reader.becomeTunnel()
      return this.options.socket.end()
    }
    served.request.state = "Responded"
    // What is still to come of the request is thrown away.
    this.options.socket.resume()
    this.next()
  }

  fail(served: Http1Served<Request>): void {
    served.request.state = "Failed"
    this.served = undefined
    this.options.socket.reset()
  }

  /** When request and response are complete, the next request may begin. */
  private next(): void {
    const { served } = this
    if (served === undefined || !served.hasReplied || !served.request.content.isComplete || served.isTunnel) return
    this.served = undefined
    if (served.isLast) this.options.socket.close()
    else this.reader.next()
  }
}

/** A request of HTTP/1.1 that waits for its response. */
class Http1Served<Request extends ServedRequest> implements Served<Request> {
  readonly streamId = 1
  isTunnel = false
  hasReplied = false
  stop: Cancel = () => {}
  private framing: Framing = "None"

  constructor(
    private readonly server: Http1Server<Request>,
    private readonly head: RequestHead,
    readonly request: Request,
    private readonly socket: ServerOptions<Request>["socket"],
    /** Nothing follows its response. */
    public isLast: boolean
  ) {}

  get isServed(): boolean {
    return this.server.isServed(this)
  }

  isStreamed(reply: ServedReply): boolean {
    return this.hasContent(reply) && !isWhole(reply.body)
  }

  respond(reply: ServedReply): Taken {
    const head = this.headOf(reply)
    return this.socket.write(
      this.hasContent(reply) ? joinBytes([head, this.framed(contentOf(reply.body)), this.lastOf(reply)]) : head
    )
  }

  begin(reply: ServedReply): void {
    this.socket.write(this.headOf(reply))
    if (this.isTunnel) this.server.becomeTunnel()
  }

  write(content: Uint8Array): Taken {
    return this.socket.write(this.framed(content))
  }

  end(reply: ServedReply): Taken {
    this.socket.write(this.lastOf(reply))
    return undefined
  }

  writeRaw(octets: Uint8Array): Taken {
    return this.socket.write(octets)
  }

  finish({ headers = {} }: ServedReply): void {
    if (!this.isServed) return
    for (const [name, value] of Object.entries(headers)) {
      if (name.toLowerCase() === "connection" && closes(String(value))) this.isLast = true
    }
    this.server.finish(this)
  }

  fail(): void {
    this.server.fail(this)
  }

  private hasContent({ status = 200 }: ServedReply): boolean {
    return opensTunnel(this.head.method, status) || hasContent(this.head.method, status)
  }

  /** With the interim ones before it. */
  private headOf(reply: ServedReply): Uint8Array {
    const { interim = [], status = 200 } = reply
    for (const { headers, status = 103 } of interim) this.socket.write(encodeHead(status, headers))
    this.isTunnel = opensTunnel(this.head.method, status)
    const { framing, headers } = frame(this.head, reply, this.isTunnel)
    this.framing = framing
    if (this.isTunnel) this.request.content.reopen()
    return encodeHead(status, headers)
  }

  private framed(bytes: Uint8Array): Uint8Array {
    return this.framing !== "Chunked" || bytes.length === 0
      ? bytes
      : joinBytes([fromLatin1(chunkHead(bytes.length)), bytes, fromLatin1(chunkEnd)])
  }

  private lastOf({ trailers = {} }: ServedReply): Uint8Array {
    return this.framing === "Chunked"
      ? fromLatin1(`0\r\n${Object.entries(trailers).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`)
      : new Uint8Array()
  }
}

const closes = (connection = ""): boolean => /(^|,)\s*close\s*(,|$)/i.test(connection)
