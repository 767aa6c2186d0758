import { rawBytes } from "@sluice/engine/client"
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
