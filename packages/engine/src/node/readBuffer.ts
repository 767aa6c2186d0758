/**
 * One buffer for what all sockets of the process read: what is in it is used up before the next read. So an idle
 * connection holds no buffer. It is larger than Node's 64 KiB because each read costs a stream's reader a step: a large
 * download takes three quarters of the CPU time (docs/performance.md).
 */
const shared: Uint8Array = Buffer.allocUnsafeSlow(256 * 1024)

/** What the socket that is being read goes on with. */
let following = shared

/** The buffer for the next read of a socket. Node asks for the first one, and after every read. */
export const next = (): Uint8Array => {
  const buffer = following
  following = shared
  return buffer
}

/**
 * For good, what was just read of a body. Bytes in the common buffer are copied. When they fill it, the body is a large
 * one: then the next read goes into a buffer of twice the size that is handed on as it is, a copy less of every byte.
 */
export const keep = (bytes: Uint8Array, start: number, end: number): Uint8Array => {
  const isLarge = end - start >= shared.length
  following = isLarge ? Buffer.allocUnsafeSlow(2 * shared.length) : shared
  return isLarge && bytes !== shared ? bytes.subarray(start, end) : copy(bytes, start, end)
}

/** The body is complete: what the socket reads next is something else. */
export const rest = (): void => {
  following = shared
}

const copy = (bytes: Uint8Array, start: number, end: number): Uint8Array => {
  const owned = Buffer.allocUnsafe(end - start)
  owned.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
  return owned
}
