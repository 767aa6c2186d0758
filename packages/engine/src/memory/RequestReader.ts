import { joinBytes } from "./Outlet.js"

/** The head of a request, as a server reads it. */
export interface RequestHead {
  readonly method: string
  readonly target: string
  /** Names in lower case, several fields of a name joined. */
  readonly headers: Readonly<Record<string, string>>
}

export interface RequestHandler {
  readonly onHead: (head: RequestHead) => void
  readonly onBody: (bytes: Uint8Array) => void
  readonly onMessageEnd: (trailers: Readonly<Record<string, string>>) => void
  /** The client broke the rules; nothing more is read. */
  readonly onInvalid: (why: string) => void
}

type State =
  | { readonly _tag: "Head" | "ChunkHead" | "ChunkEnd" | "Trailers" | "Raw" | "Invalid" }
  | { readonly _tag: "Length" | "Chunk"; left: number }

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/**
 * Reads requests of HTTP/1.1 as strictly as RFC 9112 has it, one at a time: what comes after one waits until `next`.
 */
export class RequestReader {
  private state: State = { _tag: "Head" }
  private rest: Uint8Array = new Uint8Array()
  private isHeld = false

  constructor(private readonly handler: RequestHandler) {}

  /** Bytes of a request that has not begun, or not ended. */
  get isWaiting(): boolean {
    return this.isHeld
  }

  feed(bytes: Uint8Array): void {
    this.rest = this.rest.length === 0 ? bytes : joinBytes([this.rest, bytes])
    this.read()
  }

  /** The request that was read has its response: the next one may begin. True when some of it is there already. */
  next(): void {
    this.isHeld = false
    this.read()
  }

  /** What comes from now on is no HTTP. */
  becomeTunnel(): void {
    this.state = { _tag: "Raw" }
    this.isHeld = false
    this.read()
  }

  private read(): void {
    while (this.rest.length > 0 && !(this.isHeld && this.state._tag === "Head") && this.step());
  }

  /** False: more bytes are needed. */
  private step(): boolean {
    const { state } = this
    switch (state._tag) {
      case "Head": {
        const block = this.takeBlock()
        return block !== undefined && this.onHead(block)
      }
      case "Length":
      case "Chunk": {
        const bytes = this.take(Math.min(state.left, this.rest.length))
        state.left -= bytes.length
        this.handler.onBody(bytes)
        if (state.left === 0) {
          if (state._tag === "Length") this.onEnd({})
          else this.state = { _tag: "ChunkEnd" }
        }
        return true
      }
      case "ChunkHead": {
        const line = this.takeLine()
        if (line === undefined) return false
        const size = /^([0-9a-fA-F]{1,13})(?:\s*;.*)?$/.exec(line)?.[1]
        if (size === undefined) return this.invalid(`a chunk begins with ${JSON.stringify(line)}`)
        const left = parseInt(size, 16)
        this.state = left === 0 ? { _tag: "Trailers" } : { _tag: "Chunk", left }
        return true
      }
      case "ChunkEnd": {
        const line = this.takeLine()
        if (line === undefined) return false
        if (line !== "") return this.invalid("a chunk is longer than it says")
        this.state = { _tag: "ChunkHead" }
        return true
      }
      case "Trailers": {
        const block = this.rest[0] === 13 ? this.takeLine() : this.takeBlock()
        if (block === undefined) return false
        const trailers = parseFields(block === "" ? [] : block.split("\r\n"))
        if (typeof trailers === "string") return this.invalid(trailers)
        this.onEnd(trailers)
        return true
      }
      case "Raw":
        this.handler.onBody(this.take(this.rest.length))
        return false
      case "Invalid":
        this.rest = new Uint8Array()
        return false
    }
  }

  private onHead(block: string): boolean {
    const [line, ...fields] = block.split("\r\n")
    const [, method, target] = /^([^ ]+) ([^ ]+) HTTP\/1\.1$/.exec(line) ?? []
    if (method === undefined || !token.test(method)) {
      return this.invalid(`a request begins with ${JSON.stringify(line)}`)
    }
    const headers = parseFields(fields)
    if (typeof headers === "string") return this.invalid(headers)
    if (headers["host"] === undefined) return this.invalid("a request has no Host")
    const { "content-length": length, "transfer-encoding": coding } = headers
    if (length !== undefined && coding !== undefined) return this.invalid("both Content-Length and Transfer-Encoding")
    if (length !== undefined && !/^\d+$/.test(length)) return this.invalid(`Content-Length: ${length}`)
    if (coding !== undefined && coding.toLowerCase() !== "chunked") return this.invalid(`Transfer-Encoding: ${coding}`)
    this.isHeld = true
    this.state = coding !== undefined
      ? { _tag: "ChunkHead" }
      : Number(length ?? 0) > 0
      ? { _tag: "Length", left: Number(length) }
      : { _tag: "Head" }
    const { _tag } = this.state
    this.handler.onHead({ method, target, headers })
    if (_tag === "Head") this.handler.onMessageEnd({})
    return true
  }

  private onEnd(trailers: Readonly<Record<string, string>>): void {
    this.state = { _tag: "Head" }
    this.handler.onMessageEnd(trailers)
  }

  private invalid(why: string): false {
    this.state = { _tag: "Invalid" }
    this.handler.onInvalid(why)
    return false
  }

  private take(length: number): Uint8Array {
    const bytes = this.rest.subarray(0, length)
    this.rest = this.rest.subarray(length)
    return bytes
  }

  private takeLine(): string | undefined {
    return this.takeUntil("\r\n")
  }

  /** Lines up to an empty one. */
  private takeBlock(): string | undefined {
    return this.takeUntil("\r\n\r\n")
  }

  private takeUntil(end: string): string | undefined {
    for (let at = 0; at + end.length <= this.rest.length; at++) {
      let same = 0
      while (same < end.length && this.rest[at + same] === end.charCodeAt(same)) same++
      if (same < end.length) continue
      const text = toLatin1(this.take(at))
      this.take(end.length)
      return text
    }
    return undefined
  }
}

const parseFields = (lines: ReadonlyArray<string>): Readonly<Record<string, string>> | string => {
  const fields: Record<string, string> = {}
  for (const line of lines) {
    const at = line.indexOf(":")
    const name = line.slice(0, at)
    if (at < 1 || !token.test(name)) return `a field is ${JSON.stringify(line)}`
    const value = line.slice(at + 1).replace(/^[ \t]+|[ \t]+$/g, "")
    if (/[\0\r\n]/.test(value)) return `the value of ${name} has a control character`
    const key = name.toLowerCase()
    fields[key] = Object.hasOwn(fields, key) ? `${fields[key]}, ${value}` : value
  }
  return fields
}

export const toLatin1 = (bytes: Uint8Array): string => {
  let text = ""
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return text
}
