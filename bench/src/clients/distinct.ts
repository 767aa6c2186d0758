import { randomBytes } from "node:crypto"

let count = 0

/** The fields of a request of which no two are alike, as those of a traced request with a token of its own. */
export const distinctHeaders = (): Record<string, string> => {
  const random = randomBytes(24).toString("hex")
  count++
  return {
    "x-request-id": random.slice(0, 32),
    "traceparent": `00-${random.slice(0, 32)}-${random.slice(32)}-01`,
    "x-number": String(count),
    "if-none-match": `"${random.slice(16)}"`,
    "cookie": `session=${random}`
  }
}
