import * as Failure from "../Failure.js"

/** The server goes on in another protocol, whether it was asked to or not. */
export const unaskedUpgrade = (details: Failure.Details): Failure.Failure =>
  Failure.remoteProtocolError({
    ...details,
    safeToRetry: false,
    code: "UnexpectedUpgrade",
    detail: "it responded with 101 and went on in another protocol; where that is wanted, ask for it with " +
      "Tunnel.upgrade",
    section: "RFC 9110 §15.2.2"
  })

/** What is left of the request would be sent as bytes of the other protocol. */
export const earlyUpgrade = (details: Failure.Details): Failure.Failure =>
  Failure.remoteProtocolError({
    ...details,
    safeToRetry: false,
    code: "UnexpectedUpgrade",
    detail: "it responded with 101 before the body of the request had been sent",
    section: "RFC 9110 §7.8"
  })
