/**
 * Reads HTTP/1 requests strictly: what a careful server would refuse is refused with a reason, so that a test sees
 * what a client has done wrong. It is separate from the client's own engine on purpose: one must not confirm the
 * other's mistakes.
 */

export interface RequestHead {
  readonly method: string
  readonly target: string
  readonly version: "1.0" | "1.1"
  readonly headers: ReadonlyArray<readonly [string, string]>
  readonly hasBody: boolean
  readonly keepAlive: boolean
  readonly expectsContinue: boolean
}

export interface RequestEvents {
  readonly onHead: (head: RequestHead) => void
  readonly onBody: (bytes: Uint8Array) => void
  readonly onEnd: (trailers: ReadonlyArray<readonly [string, string]>) => void
  readonly onMalformed: (reason: string) => void
}

class Malformed extends Error {}

type State = "head" | "length" | "chunkSize" | "chunkData" | "chunkEnd" | "trailers" | "held" | "tunnel" | "stopped"

const EMPTY = Buffer.alloc(0)
const HEAD_END = Buffer.from("\r\n\r\n")
const CRLF = Buffer.from("\r\n")
const MORE = -1
const maxHead = 1024 * 1024
const maxLine = 16 * 1024

// RFC 9110 section 5.6.2 (token) and 5.5 (field values: no CR, LF or NUL, and no other control but the tab).
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/
const requestTarget = /^[\x21-\x7e\x80-\xff]+$/

export class RequestReader {
  private state: State = "head"
  private pending: Buffer = EMPTY
  private remaining = 0
  private pushing = false
  private hold = false
  private sink: ((bytes: Uint8Array) => void) | undefined

  constructor(private readonly events: RequestEvents) {}

  /** True between two requests, when nothing of the next one has come. */
  get isBetweenRequests(): boolean {
    return this.state === "head" && this.pending.length === 0
  }

  push(bytes: Uint8Array): void {
    if (this.state === "stopped") return
    const data = this.pending.length === 0
      ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : Buffer.concat([this.pending, bytes])
    this.pending = EMPTY
    this.pushing = true
    let at = 0
    try {
      while (at < data.length) {
        const next = this.step(data, at)
        if (next === MORE) break
        at = next
      }
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      this.state = "stopped"
      this.events.onMalformed(error.message)
    } finally {
      this.pushing = false
    }
    if (!this.isStopped()) this.pending = data.subarray(at)
  }

  /** Gives everything that follows the request to `sink`. */
  tunnel(sink: (bytes: Uint8Array) => void): void {
    this.sink = sink
    this.continueIn("tunnel")
  }

  /** Goes on to the next request after one that might have become a tunnel. */
  release(): void {
    if (this.state === "held") this.continueIn("head")
  }

  stop(): void {
    this.state = "stopped"
    this.pending = EMPTY
  }

  // Behind a method, so that the compiler does not take the state for unchanged by the callbacks in between.
  private isStopped(): boolean {
    return this.state === "stopped"
  }

  private continueIn(state: State): void {
    this.state = state
    if (this.pushing || this.pending.length === 0) return
    const pending = this.pending
    this.pending = EMPTY
    this.push(pending)
  }

  private step(data: Buffer, at: number): number {
    switch (this.state) {
      case "head":
        return this.head(data, at)
      case "length":
      case "chunkData": {
        const end = Math.min(data.length, at + this.remaining)
        this.remaining -= end - at
        this.events.onBody(data.subarray(at, end))
        if (this.remaining === 0 && !this.isStopped()) {
          if (this.state === "length") this.end([])
          else this.state = "chunkEnd"
        }
        return end
      }
      case "chunkEnd": {
        if (data.length - at < 2) return MORE
        if (data[at] !== 13 || data[at + 1] !== 10) throw new Malformed("a chunk is longer than its size says")
        this.state = "chunkSize"
        return at + 2
      }
      case "chunkSize":
        return this.chunkSize(data, at)
      case "trailers":
        return this.trailers(data, at)
      case "tunnel":
        this.sink!(data.subarray(at))
        return data.length
      case "held":
      case "stopped":
        return MORE
    }
  }

  private head(data: Buffer, at: number): number {
    // RFC 9112 section 2.2: a server should ignore an empty line before the request line.
    if (data[at] === 13 && data[at + 1] === 10) return at + 2
    const end = data.indexOf(HEAD_END, at)
    if (end === -1) {
      if (data.length - at > maxHead) throw new Malformed("the head is longer than 1 MiB")
      return MORE
    }
    const [line, ...fields] = data.toString("latin1", at, end).split("\r\n")
    const head = this.parseHead(line, fields)
    this.hold = head.method === "CONNECT" || head.headers.some(([name]) => name.toLowerCase() === "upgrade")
    this.events.onHead(head)
    if (!head.hasBody && !this.isStopped()) this.end([])
    return end + 4
  }

  private end(trailers: ReadonlyArray<readonly [string, string]>): void {
    this.state = this.hold ? "held" : "head"
    this.hold = false
    this.events.onEnd(trailers)
  }

  private parseHead(line: string, fields: ReadonlyArray<string>): RequestHead {
    const parts = line.split(" ")
    if (parts.length !== 3) throw new Malformed(`the request line has ${parts.length} parts: ${JSON.stringify(line)}`)
    const [method, target, http] = parts
    if (!token.test(method)) throw new Malformed(`the method is no token: ${JSON.stringify(method)}`)
    if (!requestTarget.test(target)) throw new Malformed(`the target has controls: ${JSON.stringify(target)}`)
    if (target.includes("#")) throw new Malformed(`the target has a fragment: ${JSON.stringify(target)}`)
    if (http !== "HTTP/1.1" && http !== "HTTP/1.0") throw new Malformed(`unknown version ${JSON.stringify(http)}`)
    const version = http === "HTTP/1.1" ? "1.1" : "1.0"
    const headers = fields.map(parseField)
    const all = (name: string) => headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
    const hosts = all("host").length
    if (hosts > 1 || (hosts === 0 && version === "1.1")) throw new Malformed(`${hosts} Host fields`)
    const connection = all("connection").join(",").toLowerCase().split(",").map((option) => option.trim())
    return {
      method,
      target,
      version,
      headers,
      hasBody: this.frame(all("content-length"), all("transfer-encoding")),
      keepAlive: version === "1.1" ? !connection.includes("close") : connection.includes("keep-alive"),
      expectsContinue: version === "1.1" && all("expect").some((value) => value.toLowerCase() === "100-continue")
    }
  }

  // RFC 9112 section 6.3, without its allowances for messages that disagree with themselves.
  private frame(lengths: ReadonlyArray<string>, encodings: ReadonlyArray<string>): boolean {
    if (encodings.length > 0) {
      if (lengths.length > 0) throw new Malformed("both Content-Length and Transfer-Encoding")
      const encoding = encodings.join(",").trim().toLowerCase()
      if (encoding !== "chunked") throw new Malformed(`Transfer-Encoding ${JSON.stringify(encoding)}`)
      this.state = "chunkSize"
      return true
    }
    if (lengths.length === 0) return false
    if (lengths.length > 1 || !/^\d{1,15}$/.test(lengths[0])) {
      throw new Malformed(`Content-Length ${JSON.stringify(lengths.join(", "))}`)
    }
    this.remaining = Number(lengths[0])
    this.state = "length"
    return this.remaining > 0
  }

  private chunkSize(data: Buffer, at: number): number {
    const end = data.indexOf(CRLF, at)
    if (end === -1) {
      if (data.length - at > maxLine) throw new Malformed("a chunk's size line is longer than 16 KiB")
      return MORE
    }
    const line = data.toString("latin1", at, end)
    const digits = /^([0-9A-Fa-f]{1,13})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line)
    if (digits === null) throw new Malformed(`a chunk's size is ${JSON.stringify(line)}`)
    this.remaining = Number.parseInt(digits[1], 16)
    this.state = this.remaining === 0 ? "trailers" : "chunkData"
    return end + 2
  }

  private trailers(data: Buffer, at: number): number {
    if (data.length - at >= 2 && data[at] === 13 && data[at + 1] === 10) {
      this.end([])
      return at + 2
    }
    const end = data.indexOf(HEAD_END, at)
    if (end === -1) {
      if (data.length - at > maxHead) throw new Malformed("the trailers are longer than 1 MiB")
      return MORE
    }
    this.end(data.toString("latin1", at, end).split("\r\n").map(parseField))
    return end + 4
  }
}

const parseField = (line: string): readonly [string, string] => {
  const colon = line.indexOf(":")
  const name = line.slice(0, colon)
  // Refuses a fold and a space before the colon as well (RFC 9112 section 5).
  if (colon < 1 || !token.test(name)) throw new Malformed(`a field has no proper name: ${JSON.stringify(line)}`)
  const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "")
  if (!fieldValue.test(value)) throw new Malformed(`the field ${name} has controls in its value`)
  return [name, value]
}
