import { describeSnapshot, summarizeSnapshot } from "./describeSnapshot.js"
import { describeStage } from "./DialStage.js"
import type {
  BodyAbandoned,
  Certificate,
  FailedConnection,
  Failure,
  FailureOf,
  FailureTag,
  HandedOver
} from "./Failure.js"
import { continued, counted, describeCause, formatMillis, ordinal } from "./format.js"

/** A failure without its tag and what the tag alone says, which is all that its sentence needs. */
type Facts<Tag extends FailureTag> = Omit<FailureOf<Tag>, "_tag">

const abandoned: Record<BodyAbandoned["reason"], string> = {
  Unread: "nobody began to read it while other requests waited for its connection. " +
    "Read bodies when the response arrives, or raise maxBufferedBody",
  ScopeClosed: "the scope that it belongs to has ended",
  AlreadyRead: "it has been read as a stream, which can be done once",
  Cancelled: "reading it was interrupted before its end"
}

const cited = (section: string | undefined): string => section === undefined ? "" : ` (${section})`

const noneCameFree = ({ origin, position, waited }: Facts<"PoolTimeout">): string =>
  `No connection to ${origin} came free within ${formatMillis(waited)} (timeouts.pool); ` +
  `the request was ${ordinal(position)} in the queue.`

const queueIsFull = ({ maxPendingRequests, origin }: Facts<"PoolQueueFull">): string =>
  `No connection to ${origin} is free, and no more than ${maxPendingRequests} requests may wait for ` +
  "one (limits.maxPendingRequests)."

const describeCertificate = (certificate: Certificate | undefined): string => {
  if (certificate === undefined) return ""
  const { chain, issuer, names, subject, validFrom, validTo } = certificate
  const named = names.length === 0 ? "no name" : names.slice(0, namedHosts).join(", ") +
    (names.length > namedHosts ? ` and ${names.length - namedHosts} more` : "")
  return `. The certificate is for ${subject}, covers ${named}, was issued by ${issuer}, and is valid from ${validFrom} to ` +
    `${validTo}. The chain: ${chain.join(", issued by ")}`
}

const describeHandedOver = (handedOver: HandedOver | undefined): string =>
  handedOver === undefined
    ? ""
    : `. The last of ${handedOver.size} bytes of its body had been handed to the system ${
      formatMillis(handedOver.ago)
    } ` +
      "before, and some may still have been on their way: a slow uplink needs longer timeouts"

/** How many names of a certificate the sentence has. */
const namedHosts = 10

/** What a proxy said for people, if it is short: most say it with a page of HTML. */
const quoted = (body: string): string => {
  const text = body.trim()
  return text === "" || text.length > 200 || text.startsWith("<") ? "" : `. It said: ${JSON.stringify(text)}`
}

/** What each kind of failure says to a person. */
const sentences: { readonly [Tag in FailureTag]: (failure: Facts<Tag>) => string } = {
  PoolTimeout: (failure) => `${noneCameFree(failure)}\n${describeSnapshot(failure.pool)}`,
  PoolClosed: ({ origin }) =>
    `The pool is closed: no connection to ${origin}. Its scope has ended; requests must be made within it.`,
  PoolQueueFull: (failure) => `${queueIsFull(failure)}\n${describeSnapshot(failure.pool)}`,
  ConnectTimeout: ({ origin, stage, timeout }) =>
    `Connecting to ${origin} took longer than ${formatMillis(timeout)} (timeouts.connect)${describeStage(stage)}`,
  ConnectError: ({ connections, detail, origin }) =>
    `Could not connect to ${origin}: ${continued(detail)}` + (connections === undefined
      ? ""
      : `. The pool has ${
        counted(connections.open, "connection", "connections")
      } open or being made, and limits.maxConnections is ` +
        `${connections.maxConnections}`),
  AddressNotAllowed: ({ address, detail, origin }) =>
    `${origin} must not be connected to${address === undefined ? "" : ` at ${address}`}: ${continued(detail)}`,
  TlsError: ({ certificate, detail, origin }) =>
    `No TLS connection to ${origin}: ${continued(detail)}${describeCertificate(certificate)}`,
  UnsupportedProtocol: ({ protocol }) =>
    (protocol === ""
      ? "The URL does not begin with a protocol that this client speaks. "
      : `The URL begins with ${protocol}, which this client does not speak. `) +
    "Write it with http: or https:, as in http://example.com/",
  ProxyError: ({ body = "", detail, origin, proxy }) =>
    `No way to ${origin}${proxy === "" ? "" : ` through the proxy ${proxy}`}: ${continued(detail)}${quoted(body)}`,
  LocalProtocolError: ({ detail, section }) => `The request cannot be sent: ${continued(detail)}${cited(section)}`,
  ReadTimeout: ({ handedOver, origin, phase, timeout }) =>
    `${origin} sent nothing for ${formatMillis(timeout)}, waiting for ` +
    `${phase === "body" ? "the rest of the body" : "its response"} (timeouts.read)${describeHandedOver(handedOver)}`,
  ReadError: ({ detail, origin, written }) =>
    written
      ? `The response of ${origin} broke off: ${continued(detail)}`
      : `The request to ${origin} was not sent: ${continued(detail)}`,
  WriteTimeout: ({ origin, timeout }) =>
    `${origin} took none of the request's bytes for ${formatMillis(timeout)} (timeouts.write)`,
  WriteError: ({ detail, origin }) => `The request to ${origin} could not be sent: ${continued(detail)}`,
  HeadersTimeout: ({ handedOver, origin, timeout }) =>
    `${origin} did not complete its response head within ${formatMillis(timeout)} (timeouts.headers)` +
    describeHandedOver(handedOver),
  TotalTimeout: ({ origin, phase, timeout }) =>
    `The request${origin === "" ? "" : ` to ${origin}`} took longer than ${formatMillis(timeout)} in all ` +
    "(timeouts.total, Deadline.within, or the limit of a retry's attempt); " +
    (origin === "" ? "it was not ready to be sent" : `it was in its ${phase} phase`),
  RemoteProtocolError: ({ detail, origin, section }) =>
    `${origin} broke the protocol: ${continued(detail)}${cited(section)}`,
  StreamReset: ({ code, goAway, origin }) =>
    goAway === undefined
      ? `${origin} reset the stream of this request with ${code}`
      : `${origin} ended the connection with GOAWAY, ${code}${goAway.debug === "" ? "" : ` ("${goAway.debug}")`}; it ` +
        `takes no streams above ${goAway.lastStreamId}, and has not begun with this request`,
  BodyAbandoned: ({ origin, reason }) =>
    `The body of the response of ${origin} is not there any more: ${abandoned[reason]}`,
  ResponseTooLarge: ({ maxResponseSize, origin, reader }) =>
    reader === undefined
      ? `The body of the response of ${origin} is larger than maxResponseSize, ${maxResponseSize} bytes`
      : `The body of the response of ${origin} is larger than what can be read ` +
        `${reader === "text" ? "as one text" : "in one piece"}, ${maxResponseSize} bytes. Read it as a stream.`,
  RequestBodyError: ({ cause, origin }) => {
    const why = describeCause(cause)
    return `The body of the request to ${origin} failed while it was sent${why === "" ? "" : `: ${why}`}`
  }
}

/** Where it happened, for whoever looks for it in the logs of the other side. */
const describeConnection = (connection: FailedConnection | undefined): string => {
  if (connection === undefined) return ""
  const { id, received, remoteAddress, reused } = connection
  const to = remoteAddress === undefined ? "" : ` to ${remoteAddress}`
  return ` [connection ${id}${to}, ${reused ? "reused" : "new"}, ` +
    `${counted(received, "byte", "bytes")} of the response's body received]`
}

/** The message of a failure: what happened, where, and what to do about it. */
export const describeFailure = (failure: Failure): string =>
  // The compiler does not see that the tag chooses both the function and its argument.
  (sentences[failure._tag] as (failure: Failure) => string)(failure) + describeConnection(failure.connection)

/**
 * The same in one line, for an error whose cause is printed with it: of the pool, only who holds its connections longest
 * and what to do about it.
 */
export const summarizeFailure = (failure: Failure): string => {
  switch (failure._tag) {
    case "PoolTimeout":
      return `${noneCameFree(failure)} ${summarizeSnapshot(failure.pool)}`
    case "PoolQueueFull":
      return `${queueIsFull(failure)} ${summarizeSnapshot(failure.pool)}`
    default:
      return describeFailure(failure)
  }
}

/** Whether this is a failure of the engine, or an error that a face made of one. */
export const isFailure = (u: unknown): u is Failure =>
  typeof u === "object" && u !== null && "_tag" in u && typeof u._tag === "string" && Object.hasOwn(sentences, u._tag)
