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

/** What streams its bytes anew each time, and how many they are if it knows. */
export interface Source {
  readonly size: number | undefined
  readonly stream: Stream.Stream<Uint8Array, unknown>
}

export type Part =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly file: Source; readonly filename: string; readonly contentType: string }

/**
 * `given` is the content-type that the caller has set, whose boundary then holds; undefined when it has none, for nobody
 * could separate the parts from each other.
 */
export const encode = (form: FormData, given: string | undefined): Multipart | undefined => {
  const boundary = boundaryOf(given)
  if (boundary === undefined) return undefined
  const parts: Array<Part> = []
  form.forEach((value, name) => {
    if (typeof value === "string") {
      parts.push({ name, text: value })
      return
    }
    const file = value as File
    parts.push({
      name,
      file: { size: file.size, stream: streamBlob(file) },
      filename: file.name,
      contentType: file.type === "" ? "application/octet-stream" : file.type
    })
  })
  return encodeParts(parts, boundary)
}

export const encodeParts = (parts: ReadonlyArray<Part>, boundary: string): Multipart => {
  const encoder = new TextEncoder()
  const pieces: Array<Stream.Stream<Uint8Array, unknown>> = []
  let contentLength: number | undefined = 0
  const add = (text: string) => {
    const bytes = encoder.encode(text)
    pieces.push(Stream.succeed(bytes))
    if (contentLength !== undefined) contentLength += bytes.length
  }
  for (const part of parts) {
    const disposition = `--${boundary}\r\ncontent-disposition: form-data; name="${escape(normalizeLines(part.name))}"`
    if ("text" in part) {
      add(`${disposition}\r\n\r\n${normalizeLines(part.text)}\r\n`)
      continue
    }
    const { contentType, file, filename } = part
    add(`${disposition}; filename="${escape(filename)}"\r\ncontent-type: ${contentType}\r\n\r\n`)
    pieces.push(file.stream)
    contentLength = contentLength === undefined || file.size === undefined ? undefined : contentLength + file.size
    add("\r\n")
  }
  add(`--${boundary}--\r\n`)
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    contentLength,
    stream: Stream.flatten(Stream.fromIterable(pieces))
  }
}

export const makeBoundary = (): string => `sluice-${crypto.randomUUID()}`

const boundaryOf = (contentType: string | undefined): string | undefined => {
  if (contentType === undefined || !/^multipart\/form-data\s*(;|$)/i.test(contentType.trim())) {
    return makeBoundary()
  }
  const [, quoted, token] = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType) ?? []
  return quoted ?? token
}

/** As browsers do it (HTML, "multipart/form-data encoding algorithm"): these three would end the name early. */
const escape = (name: string): string => name.replace(/\n/g, "%0A").replace(/\r/g, "%0D").replace(/"/g, "%22")

const normalizeLines = (text: string): string => text.replace(/\r\n|\r|\n/g, "\r\n")
