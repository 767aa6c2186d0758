export type Field = readonly [name: string, value: string]

/** RFC 7541 appendix A, from index 1. */
export const staticTable: ReadonlyArray<Field> = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ...[
    "accept-language",
    "accept-ranges",
    "accept",
    "access-control-allow-origin",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "refresh",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "user-agent",
    "vary",
    "via",
    "www-authenticate"
  ].map((name) => [name, ""] as const)
]

/** RFC 7541 section 2.3.2: the newest entry first, the oldest is evicted. */
export class DynamicTable {
  private readonly entries: Array<Field> = []
  private size = 0

  constructor(private capacity: number) {}

  get(index: number): Field | undefined {
    return this.entries[index]
  }

  add(field: Field): void {
    this.size += sizeOf(field)
    this.entries.unshift(field)
    this.evict()
  }

  resize(capacity: number): void {
    this.capacity = capacity
    this.evict()
  }

  private evict(): void {
    while (this.size > this.capacity) this.size -= sizeOf(this.entries.pop()!)
  }
}

const sizeOf = ([name, value]: Field): number => name.length + value.length + 32
