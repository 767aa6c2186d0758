/** Why a body cannot be decoded. Each face makes its error of it. */
export interface CodingFailure {
  readonly reason: "Truncated" | "Corrupt" | "Unknown" | "TooMany" | "TooLarge"
  readonly coding: string
  readonly detail: string
  readonly cause?: unknown
}

/** The coded data ends too early. */
export const truncated = (coding: string): CodingFailure => ({
  reason: "Truncated",
  coding,
  detail: `its ${coding} data ends too early`
})

/** It is not what the coding asks for. */
export const corrupt = (coding: string, what: string): CodingFailure => ({
  reason: "Corrupt",
  coding,
  detail: `its ${coding} data ${what}`
})
