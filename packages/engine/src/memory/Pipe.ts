import type { Cancel } from "../Host.js"
import type { MemoryTime } from "./MemoryTime.js"

/** What is on its way: bytes, the end of them (FIN), or the end of the connection (RST). */
type Item =
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array; readonly due: number }
  | { readonly _tag: "End" | "Reset"; readonly due: number }

/** Who takes what comes out. */
export interface PipeReader {
  readonly onBytes: (bytes: Uint8Array) => void
  readonly onEnd: () => void
  readonly onReset: () => void
}

export interface PipeOptions {
  /** How long a byte takes, in milliseconds. */
  readonly latency: number
  /** Bytes a second. */
  readonly bandwidth: number
  /** How many bytes fit that nobody has read. */
  readonly buffer: number
}

/**
 * One direction of a connection: bytes come out in the order in which they were put in, each when it is due, and no more
 * fit than the buffer holds.
 */
export class Pipe {
  reader: PipeReader | undefined = undefined
  /** There is room again. */
  onRoom: () => void = () => {}
  /** Bytes were put in that the reader, who has left, will never read. */
  onRefused: () => void = () => {}
  /** Bytes that were put in and have not come out. */
  private size = 0
  private readonly items: Array<Item> = []
  private isPaused = false
  private isOver = false
  private hasLeft = false
  /** When the wire is free for the next byte. */
  private freeAt = 0
  private isScheduled = false
  private cancelSleep: Cancel | undefined = undefined

  constructor(private readonly runtime: MemoryTime, private readonly options: PipeOptions) {}

  get room(): number {
    return this.hasLeft ? Infinity : Math.max(0, this.options.buffer - this.size)
  }

  get hasUnread(): boolean {
    return this.size > 0
  }

  push(bytes: Uint8Array): void {
    if (this.isOver) return
    if (this.hasLeft) return this.onRefused()
    this.size += bytes.length
    this.add({ _tag: "Bytes", bytes, due: this.dueAfter(bytes.length) })
  }

  /** Nothing follows. */
  end(): void {
    this.finish("End")
  }

  /** The connection is gone, after what is on its way. */
  reset(): void {
    this.finish("Reset")
  }

  /** Nobody reads any more. What had come and was not read is refused, as a TCP of a closed socket does. */
  leave(): void {
    if (this.hasLeft) return
    this.hasLeft = true
    if (this.size > 0) this.runtime.soon(() => this.onRefused())
    this.reader = undefined
    this.items.length = 0
    this.size = 0
    this.cancelSleep?.()
    this.cancelSleep = undefined
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
    this.schedule()
  }

  private finish(_tag: "End" | "Reset"): void {
    if (this.isOver) return
    this.isOver = true
    if (!this.hasLeft) this.add({ _tag, due: this.dueAfter(0) })
  }

  private dueAfter(length: number): number {
    const { bandwidth, latency } = this.options
    if (latency === 0 && bandwidth === Infinity) return 0
    this.freeAt = Math.max(this.freeAt, this.runtime.now()) + length / bandwidth * 1000
    return this.freeAt + latency
  }

  private add(item: Item): void {
    this.items.push(item)
    this.schedule()
  }

  private schedule(): void {
    const [next] = this.items
    if (this.isScheduled || this.isPaused || this.reader === undefined || next === undefined) return
    this.isScheduled = true
    const wait = next.due === 0 ? 0 : next.due - this.runtime.now()
    if (wait > 0) this.cancelSleep = this.runtime.after(wait, this.deliver)
    else this.runtime.soon(this.deliver)
  }

  /** One item in each step: between two of them others have their turn, and what an item leads to may pause the next. */
  private readonly deliver = (): void => {
    this.isScheduled = false
    this.cancelSleep = undefined
    const { reader } = this
    if (this.isPaused || reader === undefined) return
    const item = this.items.shift()
    if (item === undefined) return
    switch (item._tag) {
      case "Bytes":
        this.size -= item.bytes.length
        reader.onBytes(item.bytes)
        this.onRoom()
        break
      case "End":
        reader.onEnd()
        break
      case "Reset":
        reader.onReset()
    }
    this.schedule()
  }

  /** Whoever begins to read gets what has come. */
  readWith(reader: PipeReader): void {
    this.reader = reader
    this.schedule()
  }
}
