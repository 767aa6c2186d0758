import { Lines, TooLarge } from "./Lines.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface ServerSentEvent {
  /** Its type; `"message"` where the server names none. */
  readonly event: string
  readonly data: string
  /** The last id that the server has given, with this event or before it; empty if none. */
  readonly id: string
}

/**
 * The parser of the WHATWG standard, "9.2.6 Interpreting an event stream". What a connection leaves behind for the next
 * one, the last id and the time to wait, outlives it in `memory`.
 */
export interface Memory {
  lastEventId: string
  /** In milliseconds; undefined until the server has said. */
  retry: number | undefined
}

export class EventDecoder {
  private readonly lines: Lines
  private data: string | undefined = undefined
  private event = ""
  private id: string

  constructor(private readonly memory: Memory, private readonly limit: number) {
    this.lines = new Lines(limit, true)
    this.id = memory.lastEventId
  }

  *push(bytes: Uint8Array): Generator<ServerSentEvent> {
    for (const line of this.lines.push(bytes)) {
      if (line !== "") this.field(line)
      else {
        const event = this.dispatch()
        if (event !== undefined) yield event
      }
    }
  }

  /** An event whose blank line did not come is dropped. */
  end(): Iterable<ServerSentEvent> {
    return []
  }

  private dispatch(): ServerSentEvent | undefined {
    const { data, event } = this
    this.memory.lastEventId = this.id
    this.data = undefined
    this.event = ""
    return data === undefined ? undefined : { event: event === "" ? "message" : event, data, id: this.id }
  }

  private field(line: string): void {
    const colon = line.indexOf(":")
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1)
    switch (name) {
      case "data":
        this.data = this.data === undefined ? value : `${this.data}\n${value}`
        if (this.data.length > this.limit) throw new TooLarge(this.limit)
        break
      case "event":
        this.event = value
        break
      case "id":
        if (!value.includes("\0")) this.id = value
        break
      case "retry":
        if (/^\d{1,15}$/.test(value)) this.memory.retry = Number(value)
        break
    }
  }
}
