import type { CodingFailure } from "./CodingFailure.js"

/** A body of this many bytes is coded or decoded in one step, on the thread that reads it. */
export const oneStep = 64 * 1024

/** Ratios are judged from here on: a small body may well consist of one character. */
const freeSize = 16 * 1024 * 1024

const maxCodings = 5

// ---------------------------------------------------------------------------------------------------------------------
// Responses
// ---------------------------------------------------------------------------------------------------------------------

/** The codings of a `Content-Encoding`, in the order in which they were applied. */
export const codingsOf = (field: string): ReadonlyArray<string> =>
  field.toLowerCase().split(",").map((name) => name.trim()).filter((name) => name !== "" && name !== "identity")

/** 206 is a piece of a coded body, which alone is nothing to decode. */
export const isNothingToDecode = (method: string, status: number): boolean =>
  method === "HEAD" || status === 204 || status === 206 || status === 304

/** The codecs in the order in which they are undone: the last that was applied comes first (RFC 9110 §8.4). */
export const codecsFor = <Codec>(
  codings: ReadonlyArray<string>,
  codecs: ReadonlyMap<string, Codec>
): { readonly codecs: ReadonlyArray<Codec> } | { readonly failure: CodingFailure } => {
  if (codings.length > maxCodings) {
    const detail = `${codings.length} codings in a row, and no more than ${maxCodings} are undone`
    return { failure: { reason: "TooMany", coding: codings.join(", "), detail } }
  }
  const chain: Array<Codec> = []
  for (const coding of codings) {
    const codec = codecs.get(coding)
    if (codec === undefined) {
      const known = [...codecs.keys()].join(", ")
      // The name is the server's: only what a name may consist of is shown.
      const name = coding.replace(/[^\w.-]/g, "?").slice(0, 40)
      return { failure: { reason: "Unknown", coding: name, detail: `its coding is ${name}; known here are ${known}` } }
    }
    chain.unshift(codec)
  }
  return { codecs: chain }
}

/** How much may come of a coded body. */
export interface DecodingLimits {
  readonly maxSize: number
  readonly maxRatio: number
}

/** The most that may come of a whole body of so many bytes. */
export const mostOf = (arrived: number, { maxRatio, maxSize }: DecodingLimits): number =>
  Math.min(maxSize, Math.max(freeSize, maxRatio * arrived))

/** Whether so much may not come of so many bytes. */
export const isTooMuch = (size: number, arrived: number, { maxRatio, maxSize }: DecodingLimits): boolean =>
  size > maxSize || (size > freeSize && size > maxRatio * arrived)

export const tooMuch = (coding: string, { maxRatio, maxSize }: DecodingLimits): CodingFailure => ({
  reason: "TooLarge",
  coding,
  detail: `more than ${maxSize} bytes (maxSize), or more than ${maxRatio} for each that arrived (maxRatio), come of it`
})

// ---------------------------------------------------------------------------------------------------------------------
// Requests
// ---------------------------------------------------------------------------------------------------------------------

/** They say what the body is, byte by byte. */
const fixed = ["content-encoding", "content-range", "content-digest", "content-md5"]

/** Whether a request with these header fields may have its body coded. */
export const mayEncode = (headers: Readonly<Record<string, string | undefined>>): boolean =>
  !fixed.some((name) => headers[name] !== undefined)

const compressedTypes =
  /^(image\/(?!svg|bmp)|audio\/|video\/|font\/woff|application\/(zip|gzip|x-gzip|zstd|x-7z|x-rar|pdf))/i

/** Whether a body of this size and type becomes smaller, as far as can be said beforehand. */
export const isWorthEncoding = (size: number | undefined, type: string, minSize: number): boolean =>
  (size === undefined || size >= minSize) && !compressedTypes.test(type)

/** The origins that take no coded requests. What a wrong server makes us keep is bounded. */
export class RefusingOrigins {
  private readonly origins = new Set<string>()

  has(origin: string): boolean {
    return this.origins.has(origin)
  }

  add(origin: string): void {
    if (this.origins.size >= 1000) this.origins.clear()
    this.origins.add(origin)
  }
}
