import type { Connection } from "../Connection.js"
import type { Failure } from "../Failure.js"
import type { LeaseTicket, PoolDriver, Slot } from "../pool/index.js"
import type { WireRequest } from "./PreparedRequest.js"

/** What is known of a request's connection. */
export const connectionFacts = (ticket: LeaseTicket, slot: Slot<Connection>, connection: Connection) => ({
  id: slot.id,
  protocol: connection.protocol,
  remoteAddress: connection.remoteAddress,
  reused: ticket.reused,
  waitTime: ticket.grantedAt - ticket.waitingSince,
  connectTime: ticket.reused ? undefined : slot.connectedAt - slot.dialedAt,
  tlsTime: ticket.reused ? undefined : connection.tlsTime
})

/** A failure with the connection that it happened on, and how many bytes of the body had come over it. */
export const withConnection = (failure: Failure, ticket: LeaseTicket | undefined, received: number): Failure => {
  const slot = ticket?.slot
  if (ticket === undefined || slot?.connection === undefined) return failure
  // One that a face has made an error of is the face's.
  if (failure._tag === "LocalProtocolError" || failure instanceof Error) return failure
  return { ...failure, connection: { ...connectionFacts(ticket, slot, slot.connection), received } } as Failure
}

/** Tells whoever counts that a request has ended, after so many milliseconds. */
export const countEnd = (
  meter: PoolDriver["host"]["meter"],
  { method, origin }: WireRequest,
  ticket: LeaseTicket | undefined,
  millis: number,
  status: number | undefined,
  failure: Failure | undefined
): void => {
  // One that failed before it was asked for has taken no time.
  meter?.ended(origin, method, status, ticket?.slot?.connection?.protocol, ticket === undefined ? 0 : millis, failure)
}
