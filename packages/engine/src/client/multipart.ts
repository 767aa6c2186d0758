/**
 * A form as `multipart/form-data` (RFC 7578), its files streamed and not gathered.
 */
export interface Multipart<S> {
  readonly contentType: string
  /** Undefined when a file does not say its size. */
  readonly contentLength: number | undefined
  /** Text, and where the bytes of a file come from, in order. */
  readonly pieces: ReadonlyArray<Uint8Array | S>
}

/** What gives its bytes anew each time, and how many they are if it knows. */
export interface Source<S> {
  readonly size: number | undefined
  readonly stream: S
}

export type Part<S> =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly file: Source<S>; readonly filename: string; readonly contentType: string }

/**
 * `given` is the content-type that the caller has set, whose boundary then holds; undefined when it has none, for nobody
 * could separate the parts from each other.
 */
export const encode = (form: FormData, given: string | undefined): Multipart<Blob> | undefined => {
  const boundary = boundaryOf(given)
  if (boundary === undefined) return undefined
  const parts: Array<Part<Blob>> = []
  form.forEach((value, name) => {
    if (typeof value === "string") {
      parts.push({ name, text: value })
      return
    }
    const file = value as File
    parts.push({
      name,
      file: { size: file.size, stream: file },
      filename: file.name,
      contentType: file.type === "" ? "application/octet-stream" : file.type
    })
  })
  return encodeParts(parts, boundary)
}

export const encodeParts = <S>(parts: ReadonlyArray<Part<S>>, boundary: string): Multipart<S> => {
  const encoder = new TextEncoder()
  const pieces: Array<Uint8Array | S> = []
  let contentLength: number | undefined = 0
  const add = (text: string) => {
    const bytes = encoder.encode(text)
    pieces.push(bytes)
    if (contentLength !== undefined) contentLength += bytes.length
  }
  for (const part of parts) {
    const disposition = `--${boundary}\r\ncontent-disposition: form-data; name="${escape(normalizeLines(part.name))}"`
    if ("text" in part) {
      add(`${disposition}\r\n\r\n${normalizeLines(part.text)}\r\n`)
      continue
    }
    const { contentType, file, filename } = part
    add(
      `${disposition}; filename="${escape(filename)}"\r\ncontent-type: ${contentType.replace(/[\r\n]+/g, " ")}\r\n\r\n`
    )
    pieces.push(file.stream)
    contentLength = contentLength === undefined || file.size === undefined ? undefined : contentLength + file.size
    add("\r\n")
  }
  add(`--${boundary}--\r\n`)
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    contentLength,
    pieces
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
