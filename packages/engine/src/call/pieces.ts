/**
 * Bytes are handed to the transport in pieces of this size: it says when it has taken one, and so a server that takes
 * nothing cannot be distinguished from one that is slow. At 64 KiB within `timeouts.write` it may be very slow.
 */
export const pieceSize = 64 * 1024
