/** What a body consists of, to be compared: bytes, texts, and what is only the same as itself. */
export type Content = ReadonlyArray<unknown>

/** The keys of one call: a request that is sent again, as it was, has the key that it had. */
export class IdempotencyKeys {
  /** The requests seen at a method and URL, distinguished by their bodies. */
  private readonly seen = new Map<string, Array<{ readonly content: Content; readonly key: string }>>()

  constructor(private readonly makeKey: () => string) {}

  /** `target` is the method and all of the URL that is sent. */
  keyFor(target: string, content: Content): string {
    const requests = this.seen.get(target) ?? []
    this.seen.set(target, requests)
    const known = requests.find((other) => isSame(other.content, content))
    if (known !== undefined) return known.key
    const key = this.makeKey()
    requests.push({ content, key })
    return key
  }
}

/** All of a URL but its fragment, which is not sent. */
export const withoutFragment = ({ hash, href }: { readonly hash: string; readonly href: string }): string =>
  hash === "" ? href : href.slice(0, -hash.length)

/** The content of what was given as it is. It is kept, not hashed: two orders must never be taken for one. */
export const rawContent = (raw: unknown): Content =>
  raw instanceof URLSearchParams
    ? [String(raw)]
    : raw instanceof FormData
    ? [...raw.entries()].flat()
    : raw instanceof ArrayBuffer
    ? [new Uint8Array(raw)]
    : [raw]

const isSame = (a: Content, b: Content): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i] || isSameBytes(value, b[i]))

const isSameBytes = (a: unknown, b: unknown): boolean =>
  a instanceof Uint8Array && b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i])
