import * as fc from "fast-check"
import type { Fields } from "./support.js"

const names = [
  ":method",
  ":path",
  ":status",
  "accept",
  "authorization",
  "cache-control",
  "content-length",
  "cookie",
  "date",
  "x-request-id",
  "x-a",
  "__proto__",
  "constructor"
]

const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code))

const name = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...names) },
  { weight: 1, arbitrary: fc.stringOf(fc.constantFrom(..."abcdefgh-")) },
  { weight: 1, arbitrary: fc.stringOf(octet, { maxLength: 20 }) }
)

const value = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("", "GET", "/", "200", "gzip, deflate", "0123456789", "a=1; b=2") },
  { weight: 3, arbitrary: fc.stringOf(fc.constantFrom(..."abcXYZ/019 ;=-"), { maxLength: 60 }) },
  { weight: 1, arbitrary: fc.stringOf(octet, { maxLength: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 5000 }).map((length) => "long ".repeat(length / 5)) }
)

export const fields: fc.Arbitrary<Fields> = fc.array(fc.tuple(name, value), { maxLength: 12 })

/** What happens between an encoder and a decoder: blocks, and settings of the decoder's side for its table. */
export type Step =
  | { readonly _tag: "block"; readonly fields: Fields }
  | { readonly _tag: "tableSize"; readonly octets: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fields.map((fields): Step => ({ _tag: "block", fields })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, 31, 32, 64, 100, 256, 1000, 4095, 4096, 4097, 10_000)
      .map((octets): Step => ({ _tag: "tableSize", octets }))
  }
)

/** Blocks repeat, as those of a client do, so that tables are used. */
export const steps: fc.Arbitrary<ReadonlyArray<Step>> = fc.tuple(
  fc.array(step, { minLength: 1, maxLength: 8 }),
  fc.array(fc.nat(), { minLength: 1, maxLength: 30 })
).map(([some, order]) => order.map((i) => some[i % some.length]))
