import type { Origin } from "../Origin.js"
import type { Received, Request } from "./models.js"

/** A request with what has come of its body; what is made of it is made when it is looked at. */
export class MockRequest implements Request {
  readonly method: string
  readonly url: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
  /** Where it was sent to. */
  readonly origin: Origin
  params: Readonly<Record<string, string>> = {}
  private joined = new Uint8Array()
  private joinedParts = 0

  constructor(private readonly received: Received) {
    const { connection: { origin }, headers, method, target } = received
    const at = target.indexOf("?")
    this.method = method
    this.url = origin.href + target
    this.path = at < 0 ? target : target.slice(0, at)
    this.query = new URLSearchParams(at < 0 ? "" : target.slice(at + 1))
    this.headers = headers
    this.origin = origin
  }

  get bytes(): Uint8Array {
    const { parts } = this.received
    if (parts.length !== this.joinedParts) {
      this.joined = join(parts)
      this.joinedParts = parts.length
    }
    return this.joined
  }

  get body(): string {
    return new TextDecoder().decode(this.bytes)
  }

  get json(): unknown {
    return JSON.parse(this.body)
  }

  get form(): URLSearchParams {
    return new URLSearchParams(this.body)
  }
}

const join = (chunks: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
