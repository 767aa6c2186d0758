export const postHeaders = { "content-type": "application/octet-stream" }

/** The same part, over and over. */
export function* parts(part: Uint8Array, count: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) yield part
}
