import { describe, it } from "@effect/vitest"
import { deepStrictEqual, ok, strictEqual } from "node:assert"
import { Chunks } from "../../src/call/Chunks.js"
import { maxWholeBody, ResponseBody } from "../../src/call/ResponseBody.js"

/** Small pieces of every size, in a cycle; each byte tells where it was. */
const pieces = (count: number, sizeOf: (n: number) => number): ReadonlyArray<Uint8Array> => {
  let at = 0
  return Array.from({ length: count }, (_, n) => Uint8Array.from({ length: sizeOf(n) }, () => at++ % 251))
}

describe("Chunks of a body that wait to be read", () => {
  it("of one byte each are few objects, in order", () => {
    const count = 5_000_000
    const chunks = new Chunks()
    const bytes = Array.from({ length: 251 }, (_, n) => Uint8Array.of(n))
    for (let n = 0; n < count; n++) chunks.add(bytes[n % 251])
    strictEqual(chunks.size, count)
    const kept = chunks.toArray()
    // A block holds 64 KiB.
    ok(kept.length < 100, `${kept.length}`)
    let at = 0
    for (const chunk of kept) {
      for (const byte of chunk) {
        if (byte !== at++ % 251) throw new Error(`byte ${at - 1} is ${byte}`)
      }
    }
    strictEqual(at, count)
  })

  it("of every size, cleared and read in between, are what was added", () => {
    const added = pieces(3000, (n) => [1, 1023, 1024, 7, 5000, 0, 300][n % 7])
    for (const readEvery of [1, 2, 10, 1000]) {
      const chunks = new Chunks()
      const read: Array<Uint8Array> = []
      added.forEach((piece, n) => {
        chunks.add(piece)
        if (n % readEvery !== 0) return
        for (const chunk of chunks.toArray()) read.push(Uint8Array.from(chunk))
        chunks.clear()
      })
      read.push(chunks.join())
      deepStrictEqual(Buffer.concat(read), Buffer.concat(added))
    }
  })

  it("do not change when more is joined behind them", () => {
    const chunks = new Chunks()
    chunks.add(Uint8Array.of(1))
    chunks.add(Uint8Array.of(2))
    const before = chunks.toArray()
    chunks.add(Uint8Array.of(3))
    deepStrictEqual(before.map((chunk) => [...chunk]), [[1], [2]])
    deepStrictEqual([...chunks.join()], [1, 2, 3])
  })
})

describe("A body that is read whole", () => {
  const owner = () => {
    const called: Array<string> = []
    return {
      called,
      details: () => ({ origin: "http://a", phase: "body", written: true, safeToRetry: true } as const),
      pause: () => void called.push("pause"),
      resume: () => void called.push("resume"),
      discard: () => void called.push("discard"),
      captureContext: () => undefined
    }
  }

  it("fails before its memory is asked for, when it is larger than one array can be", () => {
    const its = owner()
    const body = new ResponseBody(its, 1000)
    const failures: Array<string | undefined> = []
    body.readWhole((failure) => failures.push(failure?._tag))
    // The same memory again and again.
    const chunk = new Uint8Array(2 ** 26)
    for (let n = 0; n <= maxWholeBody / chunk.length; n++) body.push(chunk)
    deepStrictEqual(failures, ["ResponseTooLarge"])
    deepStrictEqual(its.called, ["discard"])
  })

  it("as a stream it may be as large as it likes", () => {
    const body = new ResponseBody(owner(), 1000)
    body.openStream()
    const chunk = new Uint8Array(2 ** 26)
    for (let n = 0; n < 100; n++) {
      body.push(chunk)
      strictEqual(body.take().length, 1)
    }
    body.complete([])
    strictEqual(body.state._tag, "Complete")
  })
})
