import type * as http2 from "node:http2"
import type * as net from "node:net"
import type { Breaking, Options, TunnelOptions } from "../../Reply.js"
import { Intake } from "../intake.js"
import { Lifetime } from "../lifetime.js"
import type { BodyShape, Outlet } from "../outlet.js"
import { playRoute } from "../play.js"
import type { Received } from "../received.js"
import { headerList, toBytes } from "../reply.js"
import type { Route } from "../script.js"
import { Signal } from "../signal.js"
import type { Reading, Surroundings } from "../surroundings.js"
import { afterTwoTurns } from "../turns.js"

type Fields = ReadonlyArray<readonly [string, string]>

const NO_ERROR = 0
const INTERNAL_ERROR = 2

// RFC 9113 section 8.2.2. They are left out, so that one script serves both protocols.
const ofConnections = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"])

// Nothing is sent that the script has not said. Node's types do not know this option.
const undated: http2.ServerStreamResponseOptions & { readonly sendDate: boolean } = { sendDate: false }

/** What an exchange needs of its connection. */
interface Carrier {
  readonly around: Surroundings
  readonly closeGently: () => void
}

/** One request on its stream and the reply to it. */
export class Http2Exchange implements Outlet {
  readonly lifetime = new Lifetime()
  outcome: "completed" | "abandoned" | "broken off" = "abandoned"
  private started = false
  private ended = false
  private closesConnection = false
  private stopsUpload = false
  private unsent = 0
  private readonly sent = new Signal()
  private trailers: Fields = []
  private readonly intake: Intake

  constructor(
    private readonly stream: http2.ServerHttp2Stream,
    readonly request: Received,
    private readonly route: Route,
    private readonly connection: Carrier
  ) {
    this.intake = new Intake(stream)
    if (route.keepsBody) request.openTap()
  }

  begin(expectsContinue: boolean): void {
    const { around } = this.connection
    const { stream } = this
    stream.on("error", () => {})
    stream.on("data", (bytes: Uint8Array) => around.ledger.bodyReceived(this.request, bytes))
    stream.on("trailers", (_headers, _flags, raw?: ReadonlyArray<string>) => {
      this.request.trailers = pairs(raw ?? [])
    })
    stream.on("end", () => {
      // A stream that was reset ends as well.
      if (stream.aborted || stream.rstCode !== NO_ERROR) return
      around.ledger.requestComplete(this.request, this.request.trailers)
      this.respond()
    })
    this.setReading(around.reading)
    // CONNECT has no body that could be waited for (RFC 9113 section 8.5).
    if (this.route.early || this.request.method === "CONNECT") this.respond()
    else if (expectsContinue && this.route.sendContinue) this.informational(100, [])
  }

  informational(status: number, headers: Fields): void {
    this.stream.additionalHeaders({ ...headersOf(headers), ":status": status })
  }

  head(options: Options, body: BodyShape): boolean {
    if (options.late !== undefined) throw new Error("late actions exist on HTTP/1.1 only; FramePeer sends any frame")
    const status = options.status ?? 200
    this.request.status = status
    const noBody = this.request.method === "HEAD" || status === 204 || status === 304
    const fields = headerList(options.headers)
    const given = new Set(fields.map(([name]) => name.toLowerCase()))
    if (body.contentType !== undefined && !given.has("content-type")) fields.push(["content-type", body.contentType])
    const framed = options.framing === undefined || options.framing === "length"
    if (framed && body.length !== undefined && status !== 204 && status !== 304 && !given.has("content-length")) {
      fields.push(["content-length", String(body.length)])
    }
    this.trailers = headerList(options.trailers)
    this.closesConnection = options.connection === "close" || options.close === true
    this.stopsUpload = options.stopUpload === true
    this.ended = (noBody || body.length === 0) && this.trailers.length === 0 && options.abrupt === undefined
    const respond = { ...undated, endStream: this.ended, waitForTrailers: this.trailers.length > 0 }
    this.stream.respond({ ...headersOf(fields), ":status": status }, respond)
    return !noBody
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    this.request.bodyBytesSent += bytes.length
    if (bytes.length === 0) return undefined
    this.unsent++
    const room = this.stream.write(bytes, () => {
      this.unsent--
      this.sent.notify()
    })
    if (room) return undefined
    return this.lifetime.wait((resume) => {
      this.stream.once("drain", resume)
      return () => this.stream.off("drain", resume)
    })
  }

  raw(): undefined {
    this.cut(INTERNAL_ERROR)
  }

  finish(): void {
    this.outcome = "completed"
    if (!this.ended) {
      this.stream.once("wantTrailers", () => this.stream.sendTrailers(headersOf(this.trailers)))
      this.stream.end()
    }
    if (this.stopsUpload && !this.request.complete) this.stopUpload()
    if (this.closesConnection) this.connection.closeGently()
  }

  // RFC 9113 section 8.1: only once the response is complete.
  private stopUpload(): void {
    const { stream } = this
    const stop = () => stream.close(NO_ERROR)
    if (stream.writableFinished) stop()
    else stream.once("finish", stop)
  }

  finishRaw(): void {}

  late(): void {}

  cut(how: Breaking): void {
    this.outcome = "broken off"
    const code = how === "end" ? NO_ERROR : how === "reset" ? INTERNAL_ERROR : how
    // A reset drops what is still on its way out, the head included.
    const flushed = this.lifetime.wait((resume) => this.sent.when(() => this.unsent === 0, () => afterTwoTurns(resume)))
    flushed.then(() => this.reset(code), () => {})
  }

  reset(code: number): void {
    const { stream } = this
    if (stream.destroyed) return
    // Node ends a stream before it resets it, and END_STREAM would make the response look complete.
    stream._final = (done) => done()
    stream.close(code)
  }

  tunnel(options: TunnelOptions, far: net.Socket | undefined): void {
    const { stream } = this
    this.outcome = "completed"
    this.request.status = options.status ?? 200
    stream.respond({ ...headersOf(headerList(options.headers)), ":status": this.request.status }, undated)
    if (options.first !== undefined) stream.write(toBytes(options.first))
    if (options.then === "end" || options.then === "reset") return this.cut(options.then)
    if (options.then === "silence") return
    const { ledger } = this.connection.around
    ledger.tunnelOpened()
    stream.once("close", () => ledger.tunnelClosed())
    if (far === undefined) return void stream.pipe(stream)
    far.on("error", () => this.cut("reset"))
    far.pipe(stream)
    stream.pipe(far)
    stream.on("close", () => far.destroy())
  }

  holdBody(hold: boolean): void {
    this.intake.hold("exchange", hold)
  }

  setReading({ bytesPerSecond, paused }: Reading): void {
    this.intake.hold("server", paused)
    this.intake.setRate(bytesPerSecond)
  }

  private respond(): void {
    if (this.started) return
    this.started = true
    void playRoute(this.route, this, (reason) => this.connection.around.ledger.scriptError(reason))
  }
}

export const pairs = (raw: ReadonlyArray<string>): Fields => {
  const fields: Array<readonly [string, string]> = []
  for (let n = 0; n + 1 < raw.length; n += 2) fields.push([raw[n], raw[n + 1]])
  return fields
}

const headersOf = (fields: Fields): Record<string, string | Array<string>> => {
  const headers: Record<string, Array<string>> = {}
  for (const [name, value] of fields) {
    const lower = name.toLowerCase()
    if (!ofConnections.has(lower)) (headers[lower] ??= []).push(value)
  }
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [name, values.length === 1 ? values[0] : values])
  )
}
