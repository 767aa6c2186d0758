/** A line, or an event, that is larger than it may be; `limit` in characters. */
export class TooLarge {
  constructor(readonly limit: number) {}
}

/**
 * Splits UTF-8 into lines as it comes, with LF, CR LF, and if asked CR alone as their ends. A CR ends its line when it
 * comes, not when it is known that no LF follows. A byte order mark at the beginning is dropped, one elsewhere is text.
 */
export class Lines {
  private readonly decoder = new TextDecoder()
  private rest = ""
  private afterCr = false

  constructor(private readonly limit: number, private readonly crAlone: boolean) {}

  /** The lines that are complete now. Throws `TooLarge` when they have been taken and what is left is too much. */
  *push(bytes: Uint8Array): Generator<string> {
    yield* this.split(this.decoder.decode(bytes, { stream: true }))
  }

  /** What came after the last end of a line; none if nothing did. */
  end(): string | undefined {
    const last = this.rest + this.decoder.decode()
    this.rest = ""
    return last === "" ? undefined : last
  }

  private *split(text: string): Generator<string> {
    if (text === "") return
    let start = this.afterCr && text[0] === "\n" ? 1 : 0
    this.afterCr = false
    const ends = this.crAlone ? /[\r\n]/g : /\n/g
    ends.lastIndex = start
    for (let end = ends.exec(text); end !== null; end = ends.exec(text)) {
      const line = this.rest + text.slice(start, end.index)
      this.rest = ""
      start = end.index + 1
      if (end[0] === "\r") {
        if (start === text.length) this.afterCr = true
        else if (text[start] === "\n") start++
      }
      ends.lastIndex = start
      if (line.length > this.limit) throw new TooLarge(this.limit)
      yield this.crAlone || !line.endsWith("\r") ? line : line.slice(0, -1)
    }
    this.rest += text.slice(start)
    if (this.rest.length > this.limit) throw new TooLarge(this.limit)
  }
}
