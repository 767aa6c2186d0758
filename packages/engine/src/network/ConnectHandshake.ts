import {
  defaultParserLimits,
  encodeHead,
  noContent,
  type ResponseHandler,
  type ResponseHead,
  ResponseParser
} from "../http1/index.js"
import {
  failed,
  goOn,
  type Handshake,
  type HandshakeStep,
  opened,
  type ProxyFailure,
  type ProxyFailureReason,
  unasked
} from "./Handshake.js"
import { describeInstead } from "./received.js"

/** How much of what comes with a refusal is kept, in bytes. */
const maxBody = 1024

/** How octets become text; a runtime is faster at it than we are. */
export interface Decoding {
  readonly latin1: (bytes: Uint8Array, start: number, end: number) => string
  readonly utf8: (bytes: Uint8Array) => string
}

/** A tunnel by CONNECT (RFC 9110 §9.3.6, RFC 9112 §3.2.3). */
export class ConnectHandshake implements Handshake, ResponseHandler {
  private readonly parser: ResponseParser
  private head: ResponseHead | undefined = undefined
  private readonly body: Array<number> = []
  private isComplete = false

  constructor(
    /** `host:port` of the origin. */
    private readonly authority: string,
    private readonly headers: Readonly<Record<string, string>>,
    private readonly decoding: Decoding
  ) {
    this.parser = new ResponseParser(this, { limits: defaultParserLimits, latin1: decoding.latin1 })
  }

  begin(): HandshakeStep {
    const { authority, headers } = this
    const head = encodeHead({ method: "CONNECT", target: authority, host: authority, headers, framing: noContent })
    if (typeof head !== "string") return failed("Configuration", head.message)
    this.parser.start("CONNECT")
    return { _tag: "Write", bytes: head }
  }

  receive(bytes: Uint8Array, length: number): HandshakeStep {
    const outcome = this.parser.execute(bytes, 0, length)
    switch (outcome?._tag) {
      case "ProtocolError":
        // What was wrong with the rest of a refusal is of no interest.
        return this.head === undefined
          ? failed("Protocol", describeInstead(outcome, bytes, length))
          : { _tag: "Failed", failure: this.finish() }
      case "Upgraded":
        if (this.head?.status === 101) return failed("Protocol", "it switched protocols (101) in response to CONNECT")
        return outcome.offset < length ? unasked : opened
    }
    if (this.head === undefined) return goOn
    return this.isComplete || outcome !== undefined || this.body.length >= maxBody
      ? { _tag: "Failed", failure: this.finish() }
      : { _tag: "Refused" }
  }

  finish(): ProxyFailure {
    const { authority, body, decoding, head } = this
    if (head === undefined) {
      return { reason: "Ended", detail: `it closed the connection instead of a response to CONNECT ${authority}` }
    }
    const { status } = head
    return {
      reason: reasonOf(status),
      detail: `it refused CONNECT ${authority} with ${status}${advice[status] ?? ""}`,
      status,
      body: body.length === 0 ? undefined : decoding.utf8(Uint8Array.from(body))
    }
  }

  onInformational(): void {}

  onHead(head: ResponseHead): void {
    this.head = head
  }

  onBody(bytes: Uint8Array, start: number, end: number): void {
    for (let n = start; n < end && this.body.length < maxBody; n++) this.body.push(bytes[n])
  }

  onComplete(): void {
    this.isComplete = true
  }
}

const reasonOf = (status: number): ProxyFailureReason => status === 407 ? "Authentication" : "Refused"

const advice: Readonly<Record<number, string>> = {
  403: ": its rules do not allow that host or port",
  405: ": it opens no tunnels; is it a proxy?",
  407: ": it wants a user and a password, or other ones",
  502: ": it could not reach the origin",
  503: ": it could not reach the origin",
  504: ": the origin did not respond to it in time"
}
