// A URL that does not fit its server is an everyday mistake, and HTTP/1.1 alone would call it a broken status line.

const alert = 21
const majorVersion = 3

/** Length, type, flags and stream of a frame; the last two are 0 in SETTINGS. */
const frameHead = 9
const settings = 4

/** The most that is looked at. */
export const looked = 128

interface Protocol {
  readonly name: string
  readonly begins: (bytes: Uint8Array, text: string) => boolean
}

/** MySQL and MariaDB: the length in three octets, number 0, version 10 and its name; or an error, 255, with number 0. */
const startsAsMySql = (bytes: Uint8Array): boolean =>
  bytes.length > 6 && bytes[3] === 0 && (bytes[4] === 10 || bytes[4] === 255) &&
  bytes[0] + (bytes[1] << 8) + (bytes[2] << 16) >= bytes.length - 4

/** PostgreSQL: E, a length of four octets, and fields with a letter each, as `SFATAL`. */
const startsAsPostgres = (bytes: Uint8Array, text: string): boolean =>
  bytes.length > 6 && text.startsWith("E\0\0") && /^E[\0-\xff]{4}S[A-Z]+\0/.test(text)

/** LDAP: a sequence, message 0, and the extended response by which a server hangs up (RFC 4511 §4.4.1). */
const startsAsLdap = (bytes: Uint8Array): boolean =>
  bytes.length > 6 && bytes[0] === 0x30 && bytes.subarray(1, 12).join().includes("2,1,0,120")

/** The native protocol of Cassandra: the version of a response, and its error. */
const startsAsCassandra = (bytes: Uint8Array, text: string): boolean =>
  bytes[0] >= 0x81 && bytes[0] <= 0x85 && text.includes("protocol version")

/** What servers of other protocols say first, or to a request that they do not understand. */
const protocols: ReadonlyArray<Protocol> = [
  { name: "SSH", begins: (_, text) => text.startsWith("SSH-") },
  { name: "Redis", begins: (_, text) => /^-(ERR|NOAUTH|DENIED|WRONGPASS|LOADING|MISCONF|NOPERM) /.test(text) },
  { name: "SMTP", begins: (_, text) => /^(220|421|500|502|503|554)[ -].*(E?SMTP|mail)/i.test(text) },
  { name: "FTP", begins: (_, text) => /^(220|421|500|530)[ -].*FTP/i.test(text) },
  { name: "NNTP", begins: (_, text) => /^20[01] .*(NNTP|NNRP|InterNetNews|news)/i.test(text) },
  { name: "SMTP or FTP", begins: (_, text) => /^(220|421|500|502|503|530|554)[ -]/.test(text) },
  { name: "IMAP", begins: (_, text) => /^\* (OK|BYE|PREAUTH|BAD)\b/.test(text) },
  { name: "POP3", begins: (_, text) => /^(\+OK|-ERR)\b/.test(text) },
  { name: "MySQL", begins: startsAsMySql },
  { name: "PostgreSQL", begins: startsAsPostgres },
  { name: "AMQP", begins: (_, text) => text.startsWith("AMQP") },
  { name: "memcached", begins: (_, text) => /^(ERROR|CLIENT_ERROR .*)\r\n/.test(text) },
  { name: "RTSP", begins: (_, text) => text.startsWith("RTSP/") },
  { name: "SIP", begins: (_, text) => text.startsWith("SIP/") },
  { name: "VNC", begins: (_, text) => text.startsWith("RFB ") },
  { name: "Telnet", begins: (bytes) => bytes.length > 2 && bytes[0] === 255 && bytes[1] >= 251 && bytes[1] <= 254 },
  { name: "NATS", begins: (_, text) => text.startsWith("INFO {") },
  { name: "LDAP", begins: startsAsLdap },
  { name: "Cassandra", begins: startsAsCassandra },
  { name: "Oracle", begins: (_, text) => text.includes("(DESCRIPTION=(") },
  // The version, and that none of the methods will do or which one will (RFC 1928 §3).
  { name: "SOCKS 5", begins: (bytes) => bytes.length === 2 && bytes[0] === 5 },
  { name: "IRC", begins: (_, text) => /^(:\S+ |)(NOTICE|ERROR :|4\d\d )/.test(text) },
  { name: "SHOUTcast", begins: (_, text) => text.startsWith("ICY ") },
  { name: "rsync", begins: (_, text) => text.startsWith("@RSYNCD:") },
  { name: "JSON without the head of a response", begins: (_, text) => /^\s*[{[]\s*("|[{[\]}])/.test(text) },
  { name: "HTML or XML without the head of a response", begins: (_, text) => /^\s*<[!?a-z]/i.test(text) }
]

/** What speaks instead of the HTTP that was due. */
export interface Instead {
  readonly protocol: string
  /** What that means, and what to do about it. */
  readonly hint: string
}

/**
 * What speaks instead of HTTP/1.1, by the bytes that came instead of a response: a TLS alert (RFC 8446 §6), the SETTINGS
 * that an HTTP/2 server begins with (RFC 9113 §3.4), or a server of something else. Undefined when it is none of these.
 */
export const instead = (received: Uint8Array, length: number): Instead | undefined =>
  startsAsHttp2(received, length)
    ? {
      protocol: "HTTP/2",
      hint: `HTTP/2 came instead of a response; the server seems to speak nothing else: use http2: "prior-knowledge"`
    }
    : otherThanHttp(received, length, "a response")

/** The same where HTTP/2 is spoken with prior knowledge: the response of an HTTP/1.1 server to the preface is among it. */
export const insteadOfHttp2 = (received: Uint8Array, length: number): Instead | undefined =>
  startsAsHttp1(received.subarray(0, length))
    ? {
      protocol: "HTTP/1.1",
      hint:
        `HTTP/1.1 came instead of HTTP/2's SETTINGS; the server does not speak HTTP/2 without TLS: leave out http2: ` +
        `"prior-knowledge"`
    }
    : otherThanHttp(received, length, "HTTP/2's SETTINGS")

export const startsAsHttp1 = (bytes: Uint8Array): boolean =>
  String.fromCharCode(...bytes.subarray(0, 5)).toUpperCase() === "HTTP/"

const startsAsHttp2 = (bytes: Uint8Array, length: number): boolean =>
  length >= frameHead && bytes[3] === settings && bytes.subarray(4, frameHead).every((octet) => octet === 0)

const otherThanHttp = (received: Uint8Array, length: number, due: string): Instead | undefined => {
  const bytes = received.subarray(0, Math.min(length, looked))
  if (length >= 2 && bytes[0] === alert && bytes[1] === majorVersion) {
    return {
      protocol: "TLS",
      hint: `A TLS alert came instead of ${due}; the server seems to speak TLS: use https:`
    }
  }
  const text = String.fromCharCode(...bytes)
  const other = protocols.find(({ begins }) => begins(bytes, text))
  return other === undefined ? undefined : {
    protocol: other.name,
    hint: `What came instead of ${due} looks like ${other.name}; is the port right?`
  }
}

/** OpenSSL hangs up without a word on who speaks plain HTTP to it, and with it most servers of TLS. */
export const hungUp = "; if it never responds, does it speak TLS? Then use https:"
