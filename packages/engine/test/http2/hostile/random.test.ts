import * as fc from "fast-check"
import { ok, strictEqual } from "node:assert"
import { describe, it } from "vitest"
import { BufferedBytes, defaultSessionOptions } from "../../../src/http2/index.js"
import * as frames from "../support/frames.js"
import { get, Harness, post, type Recorder } from "../support/Harness.js"

// A server that sends any frames, right and wrong, for streams that exist, did exist and never did, while requests begin,
// write, pause and are cancelled. What the client writes is read by `ClientWire`, which throws of what is wrong.
//
// More of them:  RANDOM_FRAMES=200000 npx vitest run --project engine test/http2/hostile/random.test.ts

const numRuns = Number(process.env.RANDOM_FRAMES ?? 400)

const anyStream = fc.constantFrom(1, 1, 3, 3, 5, 7, 9, 0, 2, 11, 101)
const openStream = fc.constantFrom(1, 1, 1, 3, 3, 5)
const uint32 = fc.constantFrom(0, 1, 2, 100, 16_384, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1)
const end = fc.record({ end: fc.boolean() })
const fields: fc.Arbitrary<frames.Fields> = fc.constantFrom<frames.Fields>(
  [[":status", "200"]],
  [[":status", "200"]],
  [[":status", "200"], ["content-length", "5"]],
  [[":status", "103"]],
  [[":status", "204"]],
  [["trailer", "1"]],
  [[":status", "200"], ["x", "v".repeat(3000)]],
  [[":status", "200"], [":status", "200"]],
  [[":status", "101"]],
  []
)
const bytes = fc.uint8Array({ maxLength: 20 })

/** Most of which a server may send. */
const plausible: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(openStream, fields, end).map((all) => frames.headers(...all)) },
  {
    weight: 6,
    arbitrary: fc.tuple(openStream, fc.constantFrom("hello", "x".repeat(9000)), end).map((all) => frames.data(...all))
  },
  fc.tuple(openStream, fc.constantFrom(0, 2, 5, 7, 8, 11, 13)).map((all) => frames.rst(...all)),
  fc.tuple(fc.constantFrom(0, 1, 3), fc.constantFrom(1, 100, 100_000)).map((all) => frames.windowUpdate(...all)),
  fc.tuple(fc.constantFrom(1, 3, 4, 5, 6, 99), fc.constantFrom(0, 1, 100, 20_000)).map(([id, value]) =>
    frames.settings([id, id === 5 ? Math.max(value, 16_384) : value])
  ),
  fc.constant(frames.settingsAck),
  fc.tuple(fc.nat(3), fc.nat(3), fc.boolean()).map((all) => frames.ping(...all)),
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(1, 3, 2 ** 31 - 1), fc.constantFrom(0, 2, 11, 13)).map((all) =>
      frames.goAway(...all)
    )
  },
  fc.tuple(openStream, fields, fc.integer({ min: 1, max: 40 }), end).map((all) => frames.fragments(...all))
)

const any: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(anyStream, fields, end).map((all) => frames.headers(...all)) },
  {
    weight: 6,
    arbitrary: fc.tuple(anyStream, fc.constantFrom("", "hello", "x".repeat(9000)), end).map((all) =>
      frames.data(...all)
    )
  },
  fc.tuple(anyStream, fc.nat(15)).map((all) => frames.rst(...all)),
  fc.tuple(anyStream, uint32).map((all) => frames.windowUpdate(...all)),
  fc.array(fc.tuple(fc.nat(9), uint32), { maxLength: 3 }).map((all) => frames.settings(...all)),
  fc.constant(frames.settingsAck),
  fc.tuple(fc.nat(3), fc.nat(3), fc.boolean()).map((all) => frames.ping(...all)),
  fc.tuple(anyStream, fc.nat(13)).map((all) => frames.goAway(...all)),
  fc.tuple(fc.nat(12), fc.nat(255), anyStream, bytes).map((all) => frames.raw(...all)),
  fc.tuple(anyStream, fields, fc.integer({ min: 1, max: 40 }), end).map((all) => frames.fragments(...all)),
  // No frame at all.
  bytes
)

type Step =
  | { readonly _tag: "Frames"; readonly bytes: Uint8Array }
  | { readonly _tag: "Get" | "Post" | "Upload" | "Flush" | "Full" }
  | {
    readonly _tag: "Cancel" | "Silent" | "Pause" | "Resume" | "Write" | "EndBody" | "Trailers"
    readonly which: number
  }
  | { readonly _tag: "Time"; readonly millis: number }

const which = fc.nat(5)
const stepWith = (frame: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.array(frame, { minLength: 1, maxLength: 4 }).map((all) => ({
        _tag: "Frames" as const,
        bytes: frames.concat(all)
      }))
    },
    {
      weight: 4,
      arbitrary: fc.constantFrom("Get" as const, "Post" as const, "Upload" as const).map((_tag) => ({ _tag }))
    },
    { weight: 3, arbitrary: fc.constant({ _tag: "Flush" as const }) },
    fc.constant({ _tag: "Full" as const }),
    {
      weight: 4,
      arbitrary: fc.record({
        _tag: fc.constantFrom(
          "Cancel" as const,
          "Silent" as const,
          "Pause" as const,
          "Resume" as const,
          "Write" as const,
          "EndBody" as const,
          "Trailers" as const
        ),
        which
      })
    },
    fc.constantFrom(1, 50, 5000, 60_000).map((millis) => ({ _tag: "Time" as const, millis }))
  )

const ended = ({ error, isComplete }: Recorder) => error !== undefined || isComplete

const play = (steps: ReadonlyArray<Step>, split: number, more: boolean): ReadonlyArray<unknown> => {
  const harness = new Harness({ split, more, pingInterval: 30_000, maxConcurrentStreams: 4 })
  const sent: Array<ReturnType<Harness["request"]>> = []
  const cancelled = new Set<Recorder>()
  const chosen = (which: number) => sent[which % sent.length] as (typeof sent)[number] | undefined
  for (const step of steps) {
    switch (step._tag) {
      case "Frames":
        harness.receive(step.bytes)
        break
      case "Get":
        sent.push(harness.request(get))
        break
      case "Post":
        sent.push(harness.request(post("x".repeat(30_000))))
        break
      case "Upload":
        sent.push(harness.request({ ...get, method: "POST", body: { _tag: "Chunks", length: undefined } }))
        break
      case "Flush":
        harness.flush()
        break
      case "Full":
        harness.flush(0)
        break
      case "Time":
        harness.advance(step.millis)
        break
      case "Write":
        chosen(step.which)?.stream.write(new Uint8Array(20_000))
        break
      case "EndBody":
        chosen(step.which)?.stream.end()
        break
      case "Trailers":
        chosen(step.which)?.stream.end({ t: "1" })
        break
      case "Pause":
        chosen(step.which)?.stream.pause()
        break
      case "Resume":
        chosen(step.which)?.stream.resume()
        break
      default: {
        const one = chosen(step.which)
        if (one === undefined) break
        if (!ended(one.got)) cancelled.add(one.got)
        one.stream.cancel(step._tag === "Cancel" ? "Unwanted" : "Silent")
      }
    }
    ok(harness.session.table.size <= 100 && harness.session.capacity >= 0)
  }
  harness.flush()
  harness.session.receiveEnd()
  for (const { got, stream } of sent) {
    ok(ended(got) || cancelled.has(got), "a request that has not ended")
    ok(stream.hasEnded || stream.state === "HalfClosedRemote")
    const ends = got.log.filter((event) => event.startsWith("complete") || event.startsWith("error"))
    ok(ends.length <= 1 || stream.request.method !== "GET", got.log.join())
    ok(got.log.filter((event) => event.startsWith("head")).length <= 1, got.log.join())
    if (cancelled.has(got)) strictEqual(ends.length, 0, got.log.join())
  }
  const { buffered, table } = harness.session
  strictEqual(table.size, 0)
  strictEqual(buffered.room, new BufferedBytes(defaultSessionOptions.maxBufferedBytes).room)
  return sent.map(({ got }) => got.outcome)
}

describe("Any frames at any time", () => {
  for (const [what, frame] of [["any frames", any], ["such as may come", plausible]] as const) {
    it(`${what} end no request twice, leave none without an end, and make the client write nothing wrong`, () => {
      fc.assert(
        fc.property(fc.array(stepWith(frame), { minLength: 3, maxLength: 40 }), (steps) => {
          play(steps, Infinity, false)
          play(steps, 7, false)
          play(steps, Infinity, true)
        }),
        { numRuns, seed: Number(process.env.SEED ?? 9113) }
      )
    }, 600_000)
  }
})
