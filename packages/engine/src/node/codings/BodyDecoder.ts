import { type CodingFailure, corrupt, truncated } from "../../client/index.js"
import type { Cancel } from "../../Host.js"
import { checksum } from "./checksum.js"
import type { Format } from "./formats.js"
import { Pump } from "./Pump.js"
import { toFailure } from "./zlibFailures.js"

const nothing = new Uint8Array(0)

const none: Cancel = () => {}

/** Where in its coding a body is. `Header` and `Trailer` hold what has come of them. */
type State =
  | { readonly _tag: "Header"; readonly held: Uint8Array }
  | { readonly _tag: "Data"; readonly pump: Pump }
  | { readonly _tag: "Trailer"; readonly held: Uint8Array }
  | { readonly _tag: "Over" }

const over: State = { _tag: "Over" }

/** A step of the decoder: what it gives its reader, that it goes on at once, or that it waits for node:zlib. */
type Step = Uint8Array | CodingFailure | "Drained" | "GoOn" | Pump

/** Decodes a body as it arrives: written a piece at a time, and read before the next one. */
export class BodyDecoder {
  private state: State = { _tag: "Header", held: nothing }
  /** What has been written and belongs to no state yet. */
  private rest: Uint8Array = nothing
  private isLast = false
  private isFirst = true
  private crc = 0
  private size = 0

  constructor(private readonly format: Format) {}

  write(bytes: Uint8Array): void {
    this.rest = bytes
    if (this.state._tag === "Data" && bytes.length > 0) this.state.pump.write(bytes)
  }

  /** Nothing is written any more. */
  finish(): void {
    this.rest = nothing
    this.isLast = true
    if (this.state._tag === "Data" && this.state.pump.leftOver === undefined) this.state.pump.finish()
  }

  /** What comes next of what was written, now or later; undefined when that is used up. */
  read(then: (next: Uint8Array | CodingFailure | undefined) => void): Cancel {
    let step = this.step()
    while (step === "GoOn") step = this.step()
    if (step === "Drained") then(undefined)
    else if (!(step instanceof Pump)) then(step)
    else return this.data(step, then)
    return none
  }

  destroy(): void {
    if (this.state._tag === "Data") this.state.pump.destroy()
    this.state = over
  }

  private step(): Step {
    switch (this.state._tag) {
      case "Header":
        return this.header(concat(this.state.held, this.rest))
      case "Data":
        return this.state.pump
      case "Trailer":
        return this.trailer(concat(this.state.held, this.rest))
      case "Over":
        return "Drained"
    }
  }

  private header(bytes: Uint8Array): Step {
    // An empty body, or the end of the last member.
    if (bytes.length === 0) return "Drained"
    const start = this.format.start(bytes, this.isLast)
    if (start === "Invalid") {
      this.state = over
      return this.isFirst ? corrupt(this.format.name, "has no valid header") : "Drained"
    }
    if (start === "More") return this.hold({ _tag: "Header", held: bytes })
    const pump = new Pump(start.engine(), this.format.isEnd)
    this.state = { _tag: "Data", pump }
    this.crc = 0
    this.size = 0
    this.write(bytes.subarray(start.skip))
    if (this.isLast) pump.finish()
    return "GoOn"
  }

  private data(pump: Pump, then: (next: Uint8Array | CodingFailure | undefined) => void): Cancel {
    let cancel = none
    let isCancelled = false
    const stop = pump.read((next) => {
      if (next instanceof Uint8Array) {
        this.crc = checksum(this.format, next, this.crc)
        this.size += next.length
        return then(next)
      }
      if (next !== undefined) return then(toFailure(this.format.name, next.failure))
      const { leftOver } = pump
      if (leftOver === undefined) return then(undefined)
      pump.destroy()
      this.state = { _tag: "Trailer", held: nothing }
      this.rest = this.rest.subarray(this.rest.length - leftOver)
      cancel = this.read(then)
      if (isCancelled) cancel()
    })
    return () => {
      isCancelled = true
      stop()
      cancel()
    }
  }

  private trailer(bytes: Uint8Array): Step {
    const { fits, name, several, trailer } = this.format
    if (bytes.length < trailer) return this.hold({ _tag: "Trailer", held: bytes })
    if (!fits(bytes.subarray(0, trailer), this.crc, this.size)) {
      this.state = over
      return corrupt(name, "does not fit its checksum")
    }
    this.isFirst = false
    this.state = several ? { _tag: "Header", held: nothing } : over
    this.rest = bytes.subarray(trailer)
    return "GoOn"
  }

  private hold(state: State): Step {
    this.state = state
    this.rest = nothing
    return this.isLast ? truncated(this.format.name) : "Drained"
  }
}

const concat = (a: Uint8Array, b: Uint8Array): Uint8Array => a.length === 0 ? b : Buffer.concat([a, b])
