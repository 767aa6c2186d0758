import type * as Failure from "../Failure.js"
import { descriptorLimit } from "./descriptorLimit.js"

/** What Node's errors carry besides their message. */
export interface SystemError extends Error {
  readonly code?: string
  readonly syscall?: string
}

type Reason = Failure.ConnectError["reason"]

interface Meaning {
  readonly reason: Reason
  /** What happened, and what to do about it. */
  readonly explanation: string
}

const nameServer = "whether the name is right is not known"

const meanings: Record<string, Meaning> = {
  ECONNREFUSED: {
    reason: "Refused",
    explanation: "nothing listens there; is the server running, and is the port right?"
  },
  ENOENT: {
    reason: "Refused",
    explanation: "there is no such socket; is the server running, and is the path right?"
  },
  ENOTFOUND: { reason: "UnknownHost", explanation: "there is no host of that name; is it spelled right?" },
  ENODATA: {
    reason: "UnknownHost",
    explanation: "the name is known, but has no address (A or AAAA record); is it the right one?"
  },
  EAI_AGAIN: {
    reason: "NameServer",
    explanation: `no name server responded: is there a network, and is the name server up? ${nameServer}`
  },
  EAI_FAIL: { reason: "NameServer", explanation: `the name server could not look it up; ${nameServer}` },
  ESERVFAIL: { reason: "NameServer", explanation: `the name server failed (SERVFAIL); ${nameServer}` },
  EREFUSED: { reason: "NameServer", explanation: `the name server refuses to look it up (REFUSED); ${nameServer}` },
  EBADRESP: { reason: "NameServer", explanation: `the name server's response makes no sense; ${nameServer}` },
  EFORMERR: { reason: "NameServer", explanation: `the name server does not understand the question; ${nameServer}` },
  ENOTIMP: { reason: "NameServer", explanation: `the name server cannot do that (NOTIMP); ${nameServer}` },
  EBADNAME: { reason: "UnknownHost", explanation: "that is no name that a host can have; is it spelled right?" },
  EAI_NODATA: { reason: "UnknownHost", explanation: "the name is known, but has no address; is it the right one?" },
  EAI_ADDRFAMILY: {
    reason: "UnknownHost",
    explanation: "the name is known, but has no address of that family; is it the right one?"
  },
  ETIMEOUT: { reason: "NameServer", explanation: `the name server did not respond in time; ${nameServer}` },
  EHOSTUNREACH: { reason: "Unreachable", explanation: "there is no way to that host" },
  ENETUNREACH: { reason: "Unreachable", explanation: "there is no way to that network" },
  EHOSTDOWN: { reason: "Unreachable", explanation: "that host is down" },
  ENETDOWN: { reason: "Unreachable", explanation: "the network is down" },
  EAFNOSUPPORT: {
    reason: "Unreachable",
    explanation:
      "this machine does not speak that family of addresses; is IPv6 turned off? The option family chooses one"
  },
  ETIMEDOUT: {
    reason: "Unreachable",
    explanation: "the other side does not respond; is the address right, and does no firewall drop the packets?"
  },
  ECONNRESET: { reason: "Reset", explanation: "the other side closed the connection" },
  ECONNABORTED: { reason: "Reset", explanation: "the system gave the connection up; has the network changed?" },
  EPIPE: { reason: "Reset", explanation: "the other side had closed the connection" },
  EMFILE: {
    reason: "ProcessLimit",
    explanation:
      "this process has no file descriptor left, so the peer was not even asked; raise `ulimit -n`, or set " +
      "limits.maxConnections below it"
  },
  ENFILE: {
    reason: "ProcessLimit",
    explanation:
      "this machine has no file descriptor left, so the peer was not even asked; raise its limit (fs.file-max), " +
      "or set limits.maxConnections lower"
  },
  EADDRNOTAVAIL: {
    reason: "ProcessLimit",
    explanation:
      "this machine has no local port left for another connection to that address, or not the local address " +
      "that it is configured to use; keep connections alive, set limits.maxConnections lower, or widen " +
      "net.ipv4.ip_local_port_range"
  },
  EADDRINUSE: {
    reason: "ProcessLimit",
    explanation:
      "the local address and port are in use by another connection to that address; keep connections alive, or " +
      "set limits.maxConnections lower"
  },
  ENOBUFS: {
    reason: "ProcessLimit",
    explanation: "this machine has no buffers left for another socket; set limits.maxConnections lower"
  },
  ENOMEM: {
    reason: "ProcessLimit",
    explanation: "this machine has no memory left for another socket; set limits.maxConnections lower"
  },
  EAI_MEMORY: { reason: "ProcessLimit", explanation: "this machine has no memory left to look up a name" },
  EACCES: {
    reason: "NotAllowed",
    explanation:
      "the system does not let this process connect there: a firewall rule, a sandbox, or the permissions of " +
      "the socket's file"
  },
  EPERM: {
    reason: "NotAllowed",
    explanation: "the system does not let this process connect there: a firewall rule or a sandbox"
  }
}

/** A name server that refuses the question itself, as `dns.resolve` reports it, is not a host that refuses. */
const meaningOf = ({ code = "", syscall = "" }: SystemError): Meaning | undefined =>
  code === "ECONNREFUSED" && syscall.startsWith("query") ? meanings["EREFUSED"] : meanings[code]

export const connectReason = (error: SystemError): Reason => meaningOf(error)?.reason ?? "Other"

/** What an error of the system means, what to do about it, and what the system said. */
export const describe = (error: SystemError): string => {
  // Node adds an address that the socket has not got yet.
  const message = error.message.replace(/ - Local \((undefined|:+|0\.0\.0\.0):(undefined|0)\)$/, "")
  const meaning = meaningOf(error)
  if (meaning === undefined) return message
  const limit = error.code === "EMFILE" ? descriptorLimit() : undefined
  return `${meaning.explanation} (${message}${limit === undefined ? "" : `; ulimit -n is ${limit}`})`
}
