/** The first message of a TLS client (RFC 8446 section 4.1.2), as far as it says whether a session is to be resumed. */

const handshakeRecord = 22
const clientHello = 1
const recordHead = 5
const Extension = { sessionTicket: 35, preSharedKey: 41, supportedVersions: 43 } as const

/** What the bytes say so far: `"not-tls"` when they are no ClientHello, `undefined` while it is not complete. */
export type Offer = "full" | "resumption" | "not-tls" | undefined

export const offerOf = (bytes: Buffer): Offer => {
  const fragments: Array<Buffer> = []
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== handshakeRecord) return "not-tls"
    if (bytes.length < at + recordHead) return undefined
    const end = at + recordHead + bytes.readUInt16BE(at + 3)
    fragments.push(bytes.subarray(at + recordHead, end))
    at = end
  }
  const message = Buffer.concat(fragments)
  if (message.length < 4) return undefined
  if (message[0] !== clientHello) return "not-tls"
  const length = message.readUIntBE(1, 3)
  if (message.length < 4 + length) return undefined
  return resumes(message.subarray(4, 4 + length)) ? "resumption" : "full"
}

const resumes = (hello: Buffer): boolean => {
  try {
    return readResumes(hello)
  } catch (error) {
    // It ends too early for its own lengths; whoever does the handshake will say so.
    if (error instanceof RangeError) return false
    throw error
  }
}

const readResumes = (hello: Buffer): boolean => {
  // After version (2 bytes) and random (32): session id, cipher suites, compression methods, extensions.
  const sessionIdAt = 34
  const suitesAt = sessionIdAt + 1 + hello.readUInt8(sessionIdAt)
  const compressionAt = suitesAt + 2 + hello.readUInt16BE(suitesAt)
  let at = compressionAt + 1 + hello.readUInt8(compressionAt) + 2
  const lengths = new Map<number, number>()
  while (at + 4 <= hello.length) {
    const length = hello.readUInt16BE(at + 2)
    lengths.set(hello.readUInt16BE(at), length)
    at += 4 + length
  }
  // TLS 1.3 clients send a session id that means nothing, for old middleboxes.
  const hasSessionId = suitesAt > sessionIdAt + 1 && !lengths.has(Extension.supportedVersions)
  return lengths.has(Extension.preSharedKey) || (lengths.get(Extension.sessionTicket) ?? 0) > 0 || hasSessionId
}
