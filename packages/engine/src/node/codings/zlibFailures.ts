import { type CodingFailure, truncated } from "../../client/index.js"

/** What a failure of node:zlib means. */
export const toFailure = (coding: string, cause: unknown): CodingFailure => {
  const code = (cause as { readonly code?: unknown } | null)?.code
  if (code === "ERR_BUFFER_TOO_LARGE") return tooLarge(coding, cause)
  return code === "Z_BUF_ERROR" || code === "ERR_TRAILING_JUNK_AFTER_STREAM_END"
    ? truncated(coding)
    : { reason: "Corrupt", coding, detail: `it is no valid ${coding} data`, cause }
}

export const tooLarge = (coding: string, cause?: unknown): CodingFailure => ({
  reason: "TooLarge",
  coding,
  detail: `more comes of the ${coding} data than maxSize or maxRatio allow`,
  cause
})
