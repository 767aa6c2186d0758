import * as fc from "fast-check"
import { ok, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import type { StreamFailure } from "../../src/http2/index.js"
import type { Stream } from "../../src/http2/Stream.js"
import * as frames from "./support/frames.js"
import { get, Harness, post, type Recorder } from "./support/Harness.js"

/** What the server knows of a stream: how much it may send, and has. */
interface Remote {
  readonly stream: Stream<StreamFailure>
  readonly got: Recorder
  window: number
  sent: number
  received: number
  state: "New" | "Open" | "Ended"
  requestEnded: boolean
}

const step = fc.record({
  what: fc.constantFrom(
    "get",
    "post",
    "flush",
    "head",
    "data",
    "end",
    "reset",
    "pause",
    "resume",
    "cancel",
    "widen",
    "widenAll",
    "settings",
    "flushLittle"
  ),
  which: fc.nat(),
  size: fc.nat({ max: 40_000 })
})

/**
 * A peer that keeps the rules and does things in any order: the session may end no stream by an error of its own, may not
 * send beyond any window, and has all that the peer has sent, in order, when a stream has ended.
 */
class Model {
  readonly harness: Harness
  readonly remotes: Array<Remote> = []
  /** What the client may send, and what the server may. */
  sendWindow = 65_535
  receiveWindow = 16 * 1024 * 1024
  initialSend = 65_535
  initialReceive = 100_000
  streamWindows = new Map<number, number>()

  constructor(split: number, more: boolean) {
    this.harness = new Harness({ split, more, initialWindowSize: this.initialReceive })
  }

  run({ size, what, which }: { readonly what: string; readonly which: number; readonly size: number }): void {
    const { harness } = this
    switch (what) {
      case "get":
        return this.add(harness.request(get))
      case "post":
        return this.add(harness.request(post(new Uint8Array(size))))
      case "flush":
        harness.flush()
        return this.read()
      case "flushLittle":
        harness.flush(size % 2000)
        return this.read()
      case "widenAll":
        this.sendWindow += size + 1
        return harness.receive(frames.windowUpdate(0, size + 1))
      case "settings": {
        const change = size - this.initialSend
        this.initialSend = size
        for (const [id, window] of this.streamWindows) this.streamWindows.set(id, window + change)
        return harness.receive(frames.settings([4, size]))
      }
    }
    const open = this.remotes.filter(({ state }) => state !== "Ended")
    if (open.length > 0) this.act(open[which % open.length], what, size)
  }

  private add({ got, stream }: { readonly stream: Stream<StreamFailure>; readonly got: Recorder }): void {
    this.remotes.push({
      stream,
      got,
      window: this.initialReceive,
      sent: 0,
      received: 0,
      state: "New",
      requestEnded: false
    })
  }

  private act(remote: Remote, what: string, size: number): void {
    const { harness } = this
    const { stream } = remote
    switch (what) {
      case "pause":
        return stream.pause()
      case "resume":
        return stream.resume()
      case "cancel":
        stream.cancel("Unwanted")
        remote.state = "Ended"
        return
    }
    if (!this.streamWindows.has(stream.id) || stream.id === 0) return
    switch (what) {
      case "head":
        if (remote.state !== "New") return
        remote.state = "Open"
        return harness.receive(frames.headers(stream.id, [[":status", "200"]]))
      case "data":
      case "end": {
        if (remote.state !== "Open") return
        const length = Math.max(0, Math.min(size, 16_384, remote.window, this.receiveWindow))
        remote.window -= length
        this.receiveWindow -= length
        const content = Uint8Array.from({ length }, () => remote.sent++ & 255)
        if (what === "end") remote.state = "Ended"
        return harness.receive(frames.data(stream.id, content, { end: what === "end" }))
      }
      case "reset":
        remote.state = "Ended"
        return harness.receive(frames.rst(stream.id, 2))
      case "widen":
        this.streamWindows.set(stream.id, this.streamWindows.get(stream.id)! + size + 1)
        return harness.receive(frames.windowUpdate(stream.id, size + 1))
    }
  }

  /** What the client has written. */
  private read(): void {
    for (const frame of this.harness.wire.frames.splice(0)) {
      const value = frame.type === 8 ? Buffer.from(frame.payload).readUInt32BE() : 0
      if (frame.type === 1) {
        ok(frame.streamId > Math.max(0, ...this.streamWindows.keys()), "numbers grow")
        this.streamWindows.set(frame.streamId, this.initialSend)
      } else if (frame.type === 0) {
        const left = this.streamWindows.get(frame.streamId)! - frame.payload.length
        ok(frame.payload.length === 0 || left >= 0, "the window of a stream")
        this.streamWindows.set(frame.streamId, left)
        this.sendWindow -= frame.payload.length
        ok(this.sendWindow >= 0, "the window of the connection")
      } else if (frame.type === 8 && frame.streamId === 0) {
        this.receiveWindow += value
      } else if (frame.type === 8) {
        const remote = this.remotes.find(({ stream }) => stream.id === frame.streamId)
        if (remote !== undefined) remote.window += value
      }
    }
  }

  check(): void {
    strictEqual(this.harness.closed, undefined)
    for (const { got, sent, state, stream } of this.remotes) {
      ok(got.error === undefined || got.error.failure._tag === "StreamReset", got.log.join())
      ok(got.content.length <= sent)
      ok(got.content.every((octet, n) => octet === (n & 255)), "in order")
      if (got.isComplete) strictEqual(got.content.length, sent)
      ok(state !== "Ended" || stream.hasEnded || got.isComplete, "the request was notified of its end")
    }
    ok(this.harness.session.buffered.held >= 0)
  }

  /** Everybody reads and nobody waits: nothing is left. */
  finish(): void {
    for (const remote of this.remotes) remote.stream.cancel("Unwanted")
    this.harness.flush()
    strictEqual(this.harness.session.table.size, 0)
    strictEqual(this.harness.session.buffered.held, 0)
  }
}

describe("Streams and windows", () => {
  it("against a peer that does anything in any order", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 120 }),
        fc.constantFrom(7, 1000, Infinity),
        fc.boolean(),
        (steps, split, more) => {
          const model = new Model(split, more)
          for (const each of steps) {
            model.run(each)
            model.check()
          }
          model.finish()
        }
      ),
      { numRuns: 150 }
    )
  })
})
