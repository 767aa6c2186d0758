export const postHeaders = { "content-type": "application/octet-stream" }

/** The same chunk, over and over. */
export function* chunks(chunk: Uint8Array, count: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) yield chunk
}
