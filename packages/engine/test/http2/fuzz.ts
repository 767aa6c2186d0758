import * as fc from "fast-check"
import { Buffer } from "node:buffer"
import process from "node:process"
import { HpackEncoder } from "../../src/http2/hpack/HpackEncoder.js"
import { frame, join, settings } from "./frames/build.js"
import type { Reading } from "./frames/transcript.js"
import { read } from "./frames/transcript.js"
import * as generators from "./hpack/generators.js"
import type { Fields } from "./hpack/support.js"
import { decode, decoder, encode } from "./hpack/support.js"
import { converse } from "./realFrames.js"

// Started by fuzz.mjs, which says how.

const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`)
  const value = at < 0 ? otherwise : Number(process.argv[at + 1])
  if (Number.isNaN(value)) throw new Error(`--${name} needs a number`)
  return value
}

const seed = option("seed", Date.now() % 0x7fffffff)
const runs = option("runs", Infinity)
const until = Date.now() + option("seconds", runs === Infinity ? 60 : Infinity) * 1000
const batch = 1000
const mostFaults = 5

const equal = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** What a `node:http2` server sends for requests of several kinds, and the header blocks in it. */
const recorded = async () => {
  const requests = Array.from({ length: 12 }, (_, i): Fields => [
    [":method", "GET"],
    [":scheme", "http"],
    [":authority", "localhost"],
    [":path", `/${i % 4}`],
    ["x-id", `${i}`],
    ["x-text", "some text ".repeat(i * 20).trim()]
  ])
  const { octets } = await converse(requests, 4096)
  const blocks: Array<Uint8Array> = []
  for (const event of read(octets).events) {
    if (event[0] === "headers") blocks.push(Uint8Array.from(event[3] as ReadonlyArray<number>))
  }
  return { octets, blocks }
}
const real = await recorded()

interface Damage {
  readonly at: number
  readonly octet: number
  readonly how: "set" | "flip" | "insert" | "cut" | "repeat"
}

const damages: fc.Arbitrary<ReadonlyArray<Damage>> = fc.array(
  fc.record({
    at: fc.nat(0xffff),
    octet: fc.integer({ min: 0, max: 255 }),
    how: fc.constantFrom("set", "flip", "insert", "cut", "repeat")
  }),
  { maxLength: 5 }
)

const damaged = (input: Uint8Array, damages: ReadonlyArray<Damage>): Uint8Array => {
  const octets = [...input]
  for (const { at, how, octet } of damages) {
    const i = at % (octets.length + 1)
    if (how === "set") octets[i] = octet
    else if (how === "flip" && i < octets.length) octets[i] ^= 1 << octet % 8
    else if (how === "insert") octets.splice(i, 0, octet)
    else if (how === "cut") octets.splice(i, octet)
    else octets.splice(i, 0, ...octets.slice(i, i + octet))
  }
  return Uint8Array.from(octets)
}

const generatedFrame = fc.tuple(
  fc.oneof({ weight: 9, arbitrary: fc.nat(10) }, { weight: 1, arbitrary: fc.nat(255) }),
  fc.oneof(fc.constantFrom(0, 1, 4, 5, 8, 9, 0x2c), fc.nat(255)),
  fc.constantFrom(0, 1, 1, 1, 2, 3, 0x7fffffff, 0x80000001),
  fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(0, 4, 5, 6, 8).map((length) => new Uint8Array(length)))
).map(([type, flags, streamId, payload]) => frame(type, flags, streamId, payload))

const stream: fc.Arbitrary<Uint8Array> = fc.tuple(
  fc.oneof(
    fc.array(generatedFrame, { maxLength: 12 }).map((frames) => join(settings, ...frames)),
    fc.tuple(fc.nat(), fc.nat(400)).map(([from, length]) =>
      join(settings, real.octets.subarray(from % real.octets.length, from % real.octets.length + length))
    ),
    fc.constant(real.octets)
  ),
  damages
).map(([octets, damages]) => damaged(octets, damages))

const blocks: fc.Arbitrary<ReadonlyArray<Uint8Array>> = fc.oneof(
  fc.array(fc.tuple(fc.constantFrom(...real.blocks), damages).map(([block, damages]) => damaged(block, damages)), {
    maxLength: 20
  }),
  fc.tuple(fc.array(generators.fields, { minLength: 1, maxLength: 10 }), damages, fc.nat(9)).map(
    ([lists, damages, which]) => {
      const encoder = new HpackEncoder()
      return lists.map((fields, i) => {
        const block = encode(encoder, fields)!
        return i === which ? damaged(block, damages) : block
      })
    }
  ),
  // The same blocks again and again, for what is kept of them.
  fc.tuple(
    fc.array(fc.uint8Array({ maxLength: 12 }), { minLength: 1, maxLength: 4 }),
    fc.array(fc.nat(), { maxLength: 30 })
  )
    .map(([some, order]) => order.map((i) => some[i % some.length]))
)

/** Of another protocol, as much is quoted as came at once. */
const withoutQuote = ({ error, events }: Reading): unknown => ({
  events,
  error: error?.code === "InvalidPreface" ? error.code : error
})

/** However the octets are cut, the events are the same. */
const frames = fc.property(stream, fc.array(fc.nat(), { maxLength: 12 }), fc.boolean(), (octets, some, each) => {
  const cuts = each
    ? Array.from(octets.subarray(0, 500), (_, i) => i)
    : some.map((cut) => cut % (octets.length + 1)).sort((a, b) => a - b)
  return equal(withoutQuote(read(octets, cuts)), withoutQuote(read(octets)))
})

/** What a decoder keeps changes nothing; what it read is written so that it is read again. */
const hpack = fc.property(blocks, (blocks) => {
  const keeping = decoder()
  const forgetful = decoder()
  Reflect.get(forgetful, "cache").matches = () => false
  const encoder = new HpackEncoder()
  const second = decoder()
  return blocks.every((block) => {
    const result = decode(keeping, block)
    if (!equal(result, decode(forgetful, block)) || keeping.listBytes !== forgetful.listBytes) return false
    if ("_tag" in result) return true
    const written = encode(encoder, result)
    return written !== undefined && equal(decode(second, written), result)
  })
})

/** Both ways, with any table sizes. */
const roundTrip = fc.property(generators.steps, fc.constantFrom(0, 64, 4096, 65_536), (steps, maxTableSize) => {
  const encoder = new HpackEncoder({ maxTableSize })
  const theirs = decoder()
  return steps.every((step) => {
    if (step._tag === "block") return equal(decode(theirs, encode(encoder, step.fields)!), step.fields)
    encoder.setPeerTableSize(step.octets)
    theirs.setTableSize(step.octets)
    return true
  })
})

const properties: ReadonlyArray<readonly [string, fc.IRawProperty<any>]> = [
  ["frames", frames],
  ["hpack", hpack],
  ["round trip", roundTrip]
]

console.log(`seed ${seed}, ${real.octets.length} octets and ${real.blocks.length} blocks of a real server`)
let tried = 0
let faults = 0
for (let round = 0; tried < runs && Date.now() < until && faults < mostFaults; round++) {
  for (const [name, property] of properties) {
    const result = await fc.check(property, {
      seed: seed + round,
      numRuns: Math.max(1, Math.min(batch, runs - tried)),
      interruptAfterTimeLimit: Math.min(Math.max(1, until - Date.now()), 0x7fffffff)
    })
    tried += result.numRuns
    if (result.failed && result.counterexample !== null) {
      faults++
      const shown = JSON.stringify(
        result.counterexample,
        (_, value) => value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value
      )
      console.log(`${name}, seed ${seed + round}: ${shown}`)
      console.log(result.error)
    }
  }
}
console.log(`${tried} inputs, ${faults} faults, seed ${seed}`)
process.exitCode = faults === 0 ? 0 : 1
