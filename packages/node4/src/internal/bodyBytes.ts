import type { HttpClientRequest } from "effect/http/HttpClientRequest"

/** The bytes of a body that is there whole, or their text; undefined when it is sent as it comes. */
export const bodyBytes = ({ body }: HttpClientRequest): string | Uint8Array | undefined => {
  switch (body._tag) {
    case "Empty":
      return ""
    case "Uint8Array":
      return body.body
    case "Raw":
      return rawBytes(body.body)
    default:
      return undefined
  }
}

const rawBytes = (raw: unknown): string | Uint8Array | undefined => {
  if (raw === undefined || raw === null) return ""
  if (typeof raw === "string" || raw instanceof Uint8Array) return raw
  if (raw instanceof URLSearchParams) return raw.toString()
  if (raw instanceof ArrayBuffer) return new Uint8Array(raw)
  return ArrayBuffer.isView(raw) ? new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength) : undefined
}
