import { deepStrictEqual, ok } from "node:assert"
import { EventEmitter } from "node:events"
import { describe, it } from "vitest"
import type { ConnectionListener, ExchangeReceiver, ExchangeRequest } from "../../src/Connection.js"
import { nodeRuntime } from "../../src/node/DriverRuntime.js"
import { Http2Connection, sessionOptions, type Transport } from "../../src/node/index.js"
import * as Origin from "../../src/Origin.js"
import * as frames from "./support/frames.js"

const KiB = 1024

/** Takes all that it is given at once, or nothing of it until `take`. */
class FakeSocket extends EventEmitter {
  destroyed = false
  bytesRead = 0
  writableLength = 0
  readableEnded = false
  writableFinished = false
  allowHalfOpen = false
  takesAtOnce = true
  readonly types: Array<number> = []
  /** The bytes of each write, or of those between `cork` and `uncork`. */
  readonly batches: Array<number> = []
  private corked = false
  private batch = 0

  write(chunk: Uint8Array | string): boolean {
    this.batch += chunk.length
    if (typeof chunk !== "string") this.types.push(chunk[3])
    if (!this.corked) this.uncork()
    return true
  }

  cork(): void {
    this.corked = true
  }

  uncork(): void {
    this.corked = false
    this.batches.push(this.batch)
    if (!this.takesAtOnce) this.writableLength += this.batch
    this.batch = 0
    if (this.takesAtOnce) queueMicrotask(() => this.emit("drain"))
  }

  take(): void {
    this.writableLength = 0
    this.emit("drain")
  }

  pause(): void {}
  resume(): void {}
  ref(): void {}
  unref(): void {}
  end(): void {}
  destroy(): void {}
}

const receiver = new Proxy({}, { get: () => () => {} }) as ExchangeReceiver

const polls = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve))
}

const origin = Origin.fromUrl(new URL("http://a.test/"))!

/** A connection to a server that takes as much as anybody has to send. */
const connect = async (tlsTime?: number) => {
  const socket = new FakeSocket()
  const connection = new Http2Connection({
    socket: socket as unknown as Transport,
    origin,
    listener: receiver as unknown as ConnectionListener,
    session: sessionOptions({}, { maxHeaderSize: 64 * KiB, maxInformationalSize: 64 * KiB }, undefined),
    time: { elapsed: () => 0, sleep: () => () => {} },
    runtime: nodeRuntime,
    tlsTime,
    onHttp1Required: () => {},
    onPrefaceReceived: () => {}
  })
  const settings = Buffer.concat([frames.settings([4, 2 ** 30]), frames.windowUpdate(0, 2 ** 30)])
  connection.onBytes(settings, settings.length)
  await polls(2)
  socket.batches.length = 0
  return { connection, socket }
}

/** Twenty uploads of 64 KiB. */
const uploading = async (takesAtOnce: boolean): Promise<FakeSocket> => {
  const { connection, socket } = await connect()
  socket.takesAtOnce = takesAtOnce
  const request: ExchangeRequest = {
    origin,
    method: "POST",
    target: "/",
    headers: {},
    body: { _tag: "Bytes", bytes: new Uint8Array(64 * KiB) },
    retryable: false
  }
  for (let n = 0; n < 20; n++) connection.exchange(request, receiver)
  await polls(4)
  return socket
}

describe("Many uploads", () => {
  it("go out in larger writes while the system takes whatever it is given", async () => {
    const { batches } = await uploading(true)
    const sizes = batches.map((bytes) => Math.floor(bytes / (64 * KiB)))
    deepStrictEqual(sizes.slice(0, 4), [1, 2, 4, 4])
    ok(Math.max(...sizes) <= 4, sizes.join())
  })

  it("do not wait in the socket, 64 KiB at most, when it takes less", async () => {
    const slow = await uploading(false)
    for (let n = 0; n < 10; n++) {
      ok(slow.writableLength <= 66 * KiB, `${slow.writableLength} wait`)
      slow.take()
      await polls(1)
    }
    deepStrictEqual(slow.batches.length, 11)
  })
})

describe("A request on a connection that was idle", () => {
  const get: ExchangeRequest = {
    origin,
    method: "GET",
    target: "/",
    headers: {},
    body: { _tag: "None" },
    retryable: true
  }

  for (const tlsTime of [undefined, 1]) {
    it(`is written after a whole poll, also when a flush is due before it${tlsTime === undefined ? "" : ", TLS"}`, async () => {
      const { connection, socket } = await connect(tlsTime)
      connection.exchange(get, receiver)
      await polls(3)
      const head = frames.headers(1, [[":status", "200"]])
      connection.onBytes(head, head.length)
      const end = frames.data(1, new Uint8Array(4), { end: true })
      // In records of their own, as Node hands over TLS: content waits for the end of the turn, and its end does not.
      connection.onBytes(end, end.length)
      socket.types.length = 0
      let written: ReadonlyArray<number> = []
      const taken = new Promise<void>((resolve) => {
        setImmediate(() => {
          written = [...socket.types]
          resolve()
        })
      })
      connection.exchange(get, receiver)
      await taken
      deepStrictEqual(written.filter((type) => type === 1), [])
      await polls(3)
      deepStrictEqual(socket.types.filter((type) => type === 1), [1])
    })
  }
})
