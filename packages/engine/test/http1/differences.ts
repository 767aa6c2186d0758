import type { Exchange } from "./support/exchanges.js"
import type { Transcript } from "./support/transcript.js"

type What = "refused" | "accepted" | "closed" | "kept" | "body" | "trailers"

/** A version of llhttp, Node's parser: 8.1 in Node 20.18, 9.3 in the last of 20, 9.4 in 22, 24 and 26. */
type Version = readonly [major: number, minor: number, patch: number]

/**
 * A difference between how we and Node's parser (llhttp 9, lenient in nothing) read a response, and the sentence that
 * decides it. The tests fail on every difference that is not listed, and on every entry that has ceased to be one.
 */
export interface Difference {
  readonly name: string
  /**
   * - `refused`: we refuse what Node takes
   * - `accepted`: we take what Node refuses
   * - `closed`: we do not keep a connection that Node keeps
   * - `kept`: we keep a connection that Node does not keep
   * - `body`, `trailers`: we frame the content otherwise
   */
  readonly what: What
  /** What else it comes to, with other content. */
  readonly also?: ReadonlyArray<What>
  /** The first version of llhttp that reads it so. */
  readonly since?: Version
  /** The first version of llhttp that reads it as we do. */
  readonly until?: Version
  /** It shows in Node's client, which does more than its parser. */
  readonly client?: true
  readonly section: string
  readonly sentence: string
  readonly method?: string
  /** A response that shows it. */
  readonly example: string
  readonly applies: (ours: Transcript, node: Transcript, exchange: Pick<Exchange, "method" | "input">) => boolean
}

const code = (...codes: ReadonlyArray<string>) => (ours: Transcript): boolean => codes.includes(ours.code)

const ok = "HTTP/1.1 200 OK\r\n"
const chunkedAndTab = /transfer-encoding:[ \t]*chunked[ \t]*\t[ \t]*\r/i
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`

const all: ReadonlyArray<Difference> = [
  {
    name: "empty elements of Transfer-Encoding; the connection is not used again",
    what: "body",
    also: ["closed", "trailers", "refused"],
    section: "RFC 9110 §5.6.1.2",
    sentence:
      "A recipient MUST parse and ignore a reasonable number of empty list elements: enough to handle common mistakes by " +
      "senders that merge values, but not so much that they could be used as a denial-of-service mechanism.",
    example: `${ok}Transfer-Encoding: chunked,\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    applies: (_ours, _node, { input }) =>
      /transfer-encoding:([ \t]*,[ \t,]*chunked[ \t,]*|[ \t]*chunked[ \t]*,[ \t,]*)\r/i.test(input)
  },

  // What we take and Node refuses: these and no more.
  {
    name: "whitespace around the ; and = of a chunk extension",
    what: "accepted",
    section: "RFC 9110 §5.6.3",
    sentence: "A recipient MUST parse for such bad whitespace and remove it before interpreting the protocol element.",
    example: `${chunked}2 ; a = b\r\nhi\r\n0\r\n\r\n`,
    applies: (_, node, { input }) =>
      /Invalid character in chunk (size|extensions)/.test(node.code) &&
      /\n[0-9a-f]+[^\r]*([ \t][;=]|[;=][ \t])/i.test(input)
  },
  {
    name: "a tab after the digits of Content-Length",
    until: [9, 4, 0],
    what: "accepted",
    section: "RFC 9112 §5.1",
    sentence: "The field line value does not include that leading or trailing whitespace",
    example: `${ok}Content-Length: 2\t\r\n\r\nhi`,
    applies: (_, node, { input }) =>
      node.code.includes("Invalid character in Content-Length") && /content-length:[ \t]*\d+[ \t]*\t/i.test(input)
  },
  {
    name: "the final response after an informational one that says close, or is HTTP/1.0",
    what: "accepted",
    section: "RFC 9110 §15.2",
    sentence:
      "A client MUST be able to parse one or more 1xx responses received prior to a final response, even if the client " +
      "does not expect one.",
    example: `HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n${ok}Content-Length: 2\r\n\r\nhi`,
    applies: (ours, node) => node.code.startsWith("HPE_CLOSED_CONNECTION") && ours.informational.length > 0
  },

  {
    name: "an empty Transfer-Encoding",
    since: [9, 4, 3],
    what: "accepted",
    section: "RFC 9110 §5.6.1.2",
    sentence: "A recipient MUST parse and ignore a reasonable number of empty list elements",
    method: "HEAD",
    example: `${ok}Transfer-Encoding:\r\n\r\n`,
    applies: (_, node) => node.code.includes("Empty Transfer-Encoding")
  },
  {
    name: "a connection after a response to HEAD that announces no length",
    what: "kept",
    section: "RFC 9112 §6.3",
    sentence:
      "Any response to a HEAD request [...] is always terminated by the first empty line after the header fields, " +
      "regardless of the header fields present in the message",
    method: "HEAD",
    example: ok + "\r\n",
    applies: (ours, _, { method }) =>
      method === "HEAD" && !hasField(ours.head, "content-length") && !hasField(ours.head, "transfer-encoding")
  },

  {
    name: "a complete response with bytes after it: it is delivered, then the connection is closed",
    what: "accepted",
    client: true,
    section: "RFC 9112 §6.3",
    sentence:
      "If the final response to the last request on a connection has been completely received and there remains " +
      "additional data to read, a user agent MAY discard the remaining data",
    example: "HTTP/1.1 204 No Content\r\n\r\nx",
    applies: (ours) => ours.end === "complete" && ours.rest !== ""
  },

  // What we read otherwise. Node takes what follows this response head for content up to the end of the stream.
  {
    name: "a tab after chunked",
    what: "body",
    also: ["trailers", "kept", "refused"],
    section: "RFC 9112 §5.1",
    sentence: "The field line value does not include that leading or trailing whitespace",
    example: `${ok}Transfer-Encoding: chunked\t\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    applies: (_, __, { input }) => chunkedAndTab.test(input)
  },

  // What we refuse and Node takes.
  {
    name: "a status line with control characters in its reason, or after a bare CR or LF",
    what: "refused",
    section: "RFC 9112 §4",
    sentence: "status-line = HTTP-version SP status-code SP [ reason-phrase ]",
    example: "HTTP/1.1 200 \x00\r\nContent-Length: 2\r\n\r\nhi",
    applies: code("InvalidStatusLine")
  },
  {
    name: "a bare CR before the status line, or several before the LF of one",
    what: "refused",
    section: "RFC 9112 §2.2",
    sentence:
      "A recipient of such a bare CR MUST consider that element to be invalid or replace each bare CR with SP before " +
      "processing the element or forwarding the message.",
    example: `\r${ok}Content-Length: 2\r\n\r\nhi`,
    applies: (ours, _, { input }) => ours.code === "InvalidLineEnd" && /\r(?!\n)/.test(input)
  },
  {
    name: "HTTP/2.0 and HTTP/0.9 in a status line",
    what: "refused",
    section: "RFC 9112 §2.3",
    sentence: "The version of an HTTP/1.x message is indicated by an HTTP-version field in the start-line.",
    example: "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    applies: code("UnsupportedVersion")
  },
  {
    name: "a Content-Length, or the size of a chunk, that cannot be counted exactly",
    what: "refused",
    section: "RFC 9112 §7.1",
    sentence:
      "recipients MUST anticipate potentially large hexadecimal numerals and prevent parsing errors due to integer " +
      "conversion overflows or precision loss due to integer representation.",
    example: `${chunked}${"0".repeat(5000)}2\r\nhi\r\n0\r\n\r\n`,
    applies: code("ContentLengthTooLarge", "ChunkTooLarge")
  },
  {
    name: "Transfer-Encoding in HTTP/1.0, or anything in it but chunked",
    what: "refused",
    section: "RFC 9112 §7.4",
    sentence:
      "If the TE field value is empty or if no TE field is present, the only acceptable transfer coding is chunked.",
    example: `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    applies: code("InvalidTransferEncoding")
  },
  {
    name: "an empty Transfer-Encoding together with Content-Length",
    until: [9, 4, 3],
    what: "refused",
    section: "RFC 9112 §6.3",
    sentence:
      "Such a message might indicate an attempt to perform request smuggling (Section 11.2) or response splitting " +
      "(Section 11.1) and ought to be handled as an error.",
    example: `${ok}Transfer-Encoding:\r\nContent-Length: 2\r\n\r\nhi`,
    applies: code("ConflictingFraming")
  },
  {
    name: "101 that does not say to which protocol it switches",
    what: "refused",
    section: "RFC 9110 §15.2.2",
    sentence:
      "The server MUST generate an Upgrade header field in the response that indicates which protocol(s) will be in " +
      "effect after this response.",
    example: "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    applies: code("InvalidUpgrade")
  },
  {
    name: "larger informational responses than the limit",
    what: "refused",
    section: "RFC 9110 §15.2",
    sentence: "A user agent MAY ignore unexpected 1xx responses.",
    example: `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(11_000)}${ok}Content-Length: 2\r\n\r\nhi`,
    applies: code("InformationalTooLarge")
  },
  {
    name: "an extension of a chunk without a name, or with = and no value",
    what: "refused",
    section: "RFC 9112 §7.1.1",
    sentence: "chunk-ext = *( BWS \";\" BWS chunk-ext-name [ BWS \"=\" BWS chunk-ext-val ] )",
    example: `${chunked}2;;a=\r\nhi\r\n0\r\n\r\n`,
    applies: code("InvalidChunkExtension")
  },
  {
    name: "Transfer-Encoding as a trailer",
    what: "refused",
    section: "RFC 9110 §6.5.1",
    sentence:
      "Many fields cannot be processed outside the header section because their evaluation is necessary prior to " +
      "receiving the content, such as those that describe message framing, routing, authentication, request modifiers, " +
      "response controls, or content format.",
    example: `${chunked}2\r\nhi\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n`,
    applies: code("ForbiddenTrailer")
  },

  // Where we close and Node keeps.
  {
    name: "204 and 205 that announce content, and any response without content that has a transfer coding",
    what: "closed",
    section: "RFC 9112 §6.1",
    sentence:
      "A server MUST NOT send a Transfer-Encoding header field in any response with a status code of 1xx (Informational) " +
      "or 204 (No Content).",
    example: "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    applies: (ours) =>
      (["204", "205"].includes(ours.head[1]) &&
        (hasField(ours.head, "content-length") || hasField(ours.head, "transfer-encoding"))) ||
      (ours.body === "" && hasField(ours.head, "transfer-encoding"))
  },
  {
    name: "close among other connection options, or in a list with empty elements",
    what: "closed",
    section: "RFC 9112 §9.3",
    sentence: "If the \"close\" connection option is present (Section 9.6), the connection will not persist",
    example: "HTTP/1.0 200 OK\r\nConnection: close, keep-alive\r\nContent-Length: 2\r\n\r\nhi",
    applies: (ours) => fieldValues(ours.head, "connection").some((value) => /(^|[, \t])close([, \t]|$)/i.test(value))
  },
  {
    name: "keep-alive of HTTP/1.0 said by Proxy-Connection alone",
    what: "closed",
    section: "RFC 9112 §C.2.2",
    sentence: "clients are encouraged not to send the Proxy-Connection header field in any requests.",
    example: "HTTP/1.0 200 OK\r\nProxy-Connection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
    applies: (ours) => ours.head[0] === "1.0" && hasField(ours.head, "proxy-connection")
  },
  {
    name: "close said by an informational response",
    until: [9, 4, 0],
    what: "closed",
    section: "RFC 9112 §9.6",
    sentence:
      "The \"close\" connection option is defined as a signal that the sender will close this connection after completion " +
      "of the response.",
    example: `HTTP/1.1 100 Continue\r\nConnection: ,,\tclose\t,\r\n\r\n${ok}Content-Length: 2\r\n\r\nhi`,
    applies: (ours) => ours.informational.some((head) => fieldValues(head, "connection").join().includes("close"))
  }
]

const [major, minor, patch] = (process.versions.llhttp ?? "0.0.0").split(".").map(Number)

/**
 * The parser that we are compared with, and whether it is one that this list was made with. What another one reads otherwise
 * says nothing about us: then we are held to what the tests expect, and to nothing that Node does.
 */
export const oracle = {
  isKnown: major === 9 && (minor === 3 || minor === 4),
  name: `llhttp ${process.versions.llhttp ?? "of no version"} of Node ${process.versions.node}`
}

const isBefore = (version: Version): boolean => (major - version[0] || minor - version[1] || patch - version[2]) < 0

/** Those of the llhttp that this Node has. */
export const differences: ReadonlyArray<Difference> = all.filter(({ since, until }) =>
  (since === undefined || !isBefore(since)) && (until === undefined || isBefore(until))
)

const fieldValues = (head: ReadonlyArray<string>, name: string): ReadonlyArray<string> =>
  head.filter((_, i) => i > 3 && i % 2 === 0 && head[i - 1] === name)

const hasField = (head: ReadonlyArray<string>, name: string): boolean => fieldValues(head, name).length > 0
