import * as Stream from "effect/Stream"

/**
 * A form as `multipart/form-data` (RFC 7578), its files streamed and not gathered.
 */
export interface Multipart {
  readonly contentType: string
  /** Undefined when a file does not say its size. */
  readonly contentLength: number | undefined
  readonly stream: Stream.Stream<Uint8Array, unknown>
}

/** The bytes of a file, as they come. */
export const streamBlob = (blob: Blob): Stream.Stream<Uint8Array, unknown> =>
  Stream.fromReadableStream(() => blob.stream() as ReadableStream<Uint8Array>, (cause) => cause)

/**
 * `given` is the content-type that the caller has set, whose boundary then holds; undefined when it has none, for nobody
 * could separate the parts from each other.
 */
export const encode = (form: FormData, given: string | undefined): Multipart | undefined => {
  const boundary = boundaryOf(given)
  if (boundary === undefined) return undefined
  const encoder = new TextEncoder()
  const pieces: Array<Uint8Array | Blob> = []
  let contentLength = 0
  const add = (piece: Uint8Array | Blob) => {
    pieces.push(piece)
    contentLength += piece instanceof Uint8Array ? piece.length : piece.size ?? NaN
  }
  form.forEach((value, name) => {
    const disposition = `--${boundary}\r\ncontent-disposition: form-data; name="${escape(normalizeLines(name))}"`
    if (typeof value === "string") {
      add(encoder.encode(`${disposition}\r\n\r\n${normalizeLines(value)}\r\n`))
    } else {
      const file = value as File
      const type = file.type === "" ? "application/octet-stream" : file.type
      add(encoder.encode(`${disposition}; filename="${escape(file.name)}"\r\ncontent-type: ${type}\r\n\r\n`))
      add(file)
      add(encoder.encode("\r\n"))
    }
  })
  add(encoder.encode(`--${boundary}--\r\n`))
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    contentLength: Number.isSafeInteger(contentLength) ? contentLength : undefined,
    stream: Stream.flatMap(
      Stream.fromIterable(pieces),
      (piece) => piece instanceof Uint8Array ? Stream.succeed(piece) : streamBlob(piece)
    )
  }
}

const boundaryOf = (contentType: string | undefined): string | undefined => {
  if (contentType === undefined || !/^multipart\/form-data\s*(;|$)/i.test(contentType.trim())) {
    return `sluice-${crypto.randomUUID()}`
  }
  const [, quoted, token] = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType) ?? []
  return quoted ?? token
}

/** As browsers do it (HTML, "multipart/form-data encoding algorithm"): these three would end the name early. */
const escape = (name: string): string => name.replace(/\n/g, "%0A").replace(/\r/g, "%0D").replace(/"/g, "%22")

const normalizeLines = (text: string): string => text.replace(/\r\n|\r|\n/g, "\r\n")
