import type { HttpBody } from "effect/http/HttpBody"
import { isReopenable } from "./client/ReopenableBody.js"

/** Whether a body can be sent a second time: its bytes are at hand, and sending it does not use it up. */
export const isReplayable = (body: HttpBody): boolean => {
  switch (body._tag) {
    case "Empty":
    case "Uint8Array":
    case "FormData":
      return true
    case "Stream":
      return isReopenable(body)
    case "Raw":
      return isAtHand(body.body)
  }
}

const isAtHand = (raw: unknown): boolean =>
  typeof raw === "string" || raw instanceof Uint8Array || raw instanceof ArrayBuffer || raw instanceof Blob ||
  raw instanceof URLSearchParams || raw instanceof FormData
