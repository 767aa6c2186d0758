import * as Fs from "node:fs"
import { describe, expect, it } from "vitest"
import { fault } from "./support/differential.js"
import { bytesOf, runOurs } from "./support/transcript.js"

/** A response worth remembering: thought of, or found by fuzz.mjs, which prints entries of this form. */
interface Entry {
  readonly name: string
  readonly method: string
  readonly input: string
  readonly cuts?: ReadonlyArray<number>
  readonly expected?: { readonly end: string; readonly code?: string }
}

const corpus: ReadonlyArray<Entry> = JSON.parse(Fs.readFileSync(new URL("corpus.json", import.meta.url), "utf8"))

describe("corpus", () => {
  it.each(corpus)("$name", ({ cuts = [], expected, input, method }) => {
    expect(fault({ method, input, cuts })).toBeUndefined()
    if (expected !== undefined) expect(runOurs(method, [bytesOf(input)]).transcript).toMatchObject(expected)
  })
})
