// A URL that does not fit its server is an everyday mistake, and HTTP/1.1 alone would call it a broken status line.

const alert = 21
const majorVersion = 3

/** Length, type, flags and stream of a frame; the last two are 0 in SETTINGS. */
const frameHead = 9
const settings = 4

/**
 * What speaks in place of HTTP/1.1, by the bytes that came in place of an answer, and what to do about it: a TLS alert
 * (RFC 8446 §6), or the SETTINGS that an HTTP/2 server begins with (RFC 9113 §3.4). Undefined when it is neither.
 */
export const instead = (bytes: Uint8Array, length: number): string | undefined => {
  if (length >= 2 && bytes[0] === alert && bytes[1] === majorVersion) {
    return "A TLS alert came in place of an answer; the server seems to speak TLS: use https:"
  }
  if (length >= frameHead && bytes[3] === settings && bytes.subarray(4, frameHead).every((octet) => octet === 0)) {
    return `HTTP/2 came in place of an answer; the server seems to speak nothing else: use http2: "prior-knowledge"`
  }
  return undefined
}

/** OpenSSL hangs up without a word on who speaks plain HTTP to it, and with it most servers of TLS. */
export const hungUp = "; if it never answers, does it speak TLS? Then use https:"
