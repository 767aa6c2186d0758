import type * as MemoryNetwork from "../memoryModels.js"
import type * as MockHttp from "./models.js"

/** A request with all of its body; what is made of it is made when it is looked at. */
export class MockRequest implements MockHttp.Request {
  readonly method: string
  readonly url: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
  /** Where it was sent to. */
  readonly origin: MemoryNetwork.Server["origin"]
  params: Readonly<Record<string, string>> = {}
  private text: string | undefined = undefined

  constructor(received: MemoryNetwork.Request, readonly bytes: Uint8Array) {
    const { connection: { origin }, headers, method, target } = received
    const at = target.indexOf("?")
    this.method = method
    this.url = origin.href + target
    this.path = at < 0 ? target : target.slice(0, at)
    this.query = new URLSearchParams(at < 0 ? "" : target.slice(at + 1))
    this.headers = headers
    this.origin = origin
  }

  get body(): string {
    return this.text ??= new TextDecoder().decode(this.bytes)
  }

  get json(): unknown {
    return JSON.parse(this.body)
  }

  get form(): URLSearchParams {
    return new URLSearchParams(this.body)
  }
}
