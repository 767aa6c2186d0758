import type { HttpBody } from "effect/http/HttpBody"

/** Which body another one was made of, as a coded one, or one whose bytes are counted. */
const sources = new WeakMap<HttpBody, HttpBody>()

/** Notes what `body` was made of: each time it is made, it is the same content to a server that recognises it by a key. */
export const derivedFrom = <B extends HttpBody>(source: HttpBody, body: B): B => {
  sources.set(body, source)
  return body
}

/** What the caller has given. */
export const sourceOf = (body: HttpBody): HttpBody => {
  const source = sources.get(body)
  return source === undefined ? body : sourceOf(source)
}
