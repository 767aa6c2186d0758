import * as Either from "effect/Either"
import * as Origin from "../../../src/Origin.js"

export const origin = (url: string): Origin.Origin => Either.getOrThrow(Origin.make(url))

export const a = origin("http://a.test")
export const b = origin("http://b.test")
export const c = origin("http://c.test")
