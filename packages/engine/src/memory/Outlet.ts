import type { Pipe } from "./Pipe.js"

interface Waiting {
  readonly bytes: Uint8Array
  readonly onTaken: (() => void) | undefined
}

/** What one side has written and the pipe has not taken. */
export class Outlet {
  /** In bytes. */
  length = 0
  private waiting: Array<Waiting> = []
  private isCorked = false
  private ending: (() => void) | undefined = undefined

  constructor(private readonly pipe: Pipe, private readonly onEmpty: () => void) {
    pipe.onRoom = () => this.flush()
  }

  write(bytes: Uint8Array, onTaken?: () => void): void {
    this.waiting.push({ bytes, onTaken })
    this.length += bytes.length
    if (!this.isCorked) this.flush()
  }

  /** What is written until `uncork` goes out in one piece. */
  cork(): void {
    this.isCorked = true
  }

  uncork(): void {
    this.isCorked = false
    if (this.waiting.length > 1) {
      const { waiting } = this
      const callbacks = waiting.flatMap(({ onTaken }) => onTaken ?? [])
      this.waiting = [{
        bytes: joinBytes(waiting.map(({ bytes }) => bytes)),
        onTaken: callbacks.length === 0 ? undefined : () => callbacks.forEach((call) => call())
      }]
    }
    this.flush()
  }

  /** The pipe ends after all that was written. */
  end(onEnded: () => void): void {
    this.ending = onEnded
    this.flush()
  }

  /** What has not been taken never will be. */
  drop(): void {
    this.waiting = []
    this.length = 0
  }

  private flush(): void {
    if (this.isCorked) return
    const hadBytes = this.length > 0
    while (this.waiting.length > 0) {
      const [{ bytes, onTaken }] = this.waiting
      const { room } = this.pipe
      if (bytes.length > room) {
        if (room === 0) return
        this.waiting[0] = { bytes: bytes.subarray(room), onTaken }
        this.length -= room
        this.pipe.push(bytes.subarray(0, room))
        return
      }
      this.waiting.shift()
      this.length -= bytes.length
      if (bytes.length > 0) this.pipe.push(bytes)
      onTaken?.()
    }
    if (hadBytes) this.onEmpty()
    const { ending } = this
    if (ending === undefined) return
    this.ending = undefined
    this.pipe.end()
    ending()
  }
}

export const joinBytes = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  if (chunks.length === 1) return chunks[0]
  const joined = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    joined.set(chunk, at)
    at += chunk.length
  }
  return joined
}
