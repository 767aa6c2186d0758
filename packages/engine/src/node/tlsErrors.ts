import type { Certificate, DetailedPeerCertificate } from "node:tls"
import * as Failure from "../Failure.js"
import { shortened } from "../format.js"
import type { Origin } from "../Origin.js"

type Reason = Failure.TlsError["reason"]

interface TlsFailure extends Error {
  readonly code?: string
  readonly reason?: string
}

/** OpenSSL's and Node's codes, by what they mean to whoever has to mend it. */
const reasons: Record<string, Reason> = {
  CERT_HAS_EXPIRED: "Expired",
  CRL_HAS_EXPIRED: "Expired",
  CERT_NOT_YET_VALID: "NotYetValid",
  CRL_NOT_YET_VALID: "NotYetValid",
  UNABLE_TO_GET_ISSUER_CERT: "UnknownAuthority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "UnknownAuthority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "UnknownAuthority",
  DEPTH_ZERO_SELF_SIGNED_CERT: "UnknownAuthority",
  SELF_SIGNED_CERT_IN_CHAIN: "UnknownAuthority",
  CERT_SIGNATURE_FAILURE: "UnknownAuthority",
  CERT_UNTRUSTED: "UnknownAuthority",
  CERT_CHAIN_TOO_LONG: "UnknownAuthority",
  INVALID_CA: "UnknownAuthority",
  PATH_LENGTH_EXCEEDED: "UnknownAuthority",
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: "UnknownAuthority",
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: "UnknownAuthority",
  UNABLE_TO_DECRYPT_CRL_SIGNATURE: "UnknownAuthority",
  CRL_SIGNATURE_FAILURE: "UnknownAuthority",
  INVALID_PURPOSE: "InvalidCertificate",
  CERT_REVOKED: "InvalidCertificate",
  CERT_REJECTED: "InvalidCertificate",
  UNABLE_TO_GET_CRL: "InvalidCertificate",
  ERROR_IN_CERT_NOT_BEFORE_FIELD: "InvalidCertificate",
  ERROR_IN_CERT_NOT_AFTER_FIELD: "InvalidCertificate",
  ERROR_IN_CRL_LAST_UPDATE_FIELD: "InvalidCertificate",
  ERROR_IN_CRL_NEXT_UPDATE_FIELD: "InvalidCertificate",
  // Node has no name for most of what OpenSSL finds in a chain: weak digests and keys, name constraints, critical extensions.
  UNSPECIFIED: "InvalidCertificate",
  ERR_TLS_CERT_ALTNAME_INVALID: "HostName",
  HOSTNAME_MISMATCH: "HostName",
  ERR_TLS_PIN: "Pin",
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: "HostName",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "ProtocolVersion",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "ProtocolVersion",
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: "ProtocolVersion",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "ClientCertificate",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "ClientCertificate",
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: "ClientCertificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: "ClientCertificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "ClientCertificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "ClientCertificate",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "ClientCertificate",
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: "ClientCertificate",
  ERR_SSL_WRONG_VERSION_NUMBER: "Configuration",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "Configuration",
  ERR_SSL_HTTP_REQUEST: "Configuration",
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: "Configuration"
}

/** Where a code says more than its reason. */
const byCode: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT:
    "the server's certificate is signed by itself; if it is the right one, give it as tls.ca",
  INVALID_PURPOSE:
    "the server's certificate is not for servers (extended key usage); it must be issued anew, for serverAuth",
  CERT_REVOKED: "the server's certificate has been revoked; it must be renewed",
  UNABLE_TO_GET_CRL: "nothing says whether the server's certificate is revoked: the list (CRL) is missing",
  ERR_SSL_WRONG_VERSION_NUMBER:
    "what responds there does not speak TLS; is the port right, and is it not an http: URL?",
  ERR_SSL_PACKET_LENGTH_TOO_LONG:
    "what responds there does not speak TLS; is the port right, and is it not an http: URL?",
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
    "the server speaks neither HTTP/1.1 nor HTTP/2 there (ALPN); is the port right?",
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    "the server refused the handshake; does it need a client certificate (tls.cert and tls.key), or other ciphers?"
}

const byReason: Record<Reason, string> = {
  Expired: "the server's certificate has expired; it must be renewed. If it looks valid, check this machine's clock",
  NotYetValid: "the server's certificate is not valid yet; check this machine's clock",
  UnknownAuthority: "the server's certificate is signed by an authority that is not trusted here; " +
    "if it is the right one, give the authority's certificate as tls.ca, and see that the server sends the whole chain",
  HostName: "the server's certificate is for another host; check the URL, or give the name as tls.servername",
  InvalidCertificate: "the server's certificate, or another one of its chain, is valid but must not be used so; " +
    "it must be issued anew",
  Pin: "the server has none of the keys of tls.pins; if its certificate was renewed with another key, pin that",
  ProtocolVersion: "client and server have no version of TLS in common; check tls.minVersion and the server's",
  ClientCertificate:
    "the server wants a certificate from the client, or not the one it got; check tls.cert and tls.key",
  Configuration: "the tls options cannot be used",
  Other: "the handshake failed"
}

/** OpenSSL 3.5 (Node 22.23) has other names for alerts than 3.0 (Node 20). */
const codeOf = ({ code = "" }: TlsFailure): string => code.replace("SSL/TLS_ALERT", "SSLV3_ALERT")

/** What the caller's own `checkServerIdentity` has to say against a certificate: it may have any code, or none. */
export const notVerified = new WeakSet<Error>()

/** Whether TLS, and not the network below it, is what failed. */
export const isTlsFailure = (failure: TlsFailure): boolean =>
  notVerified.has(failure) || failure.code !== undefined && (
      reasons[codeOf(failure)] !== undefined || failure.code.startsWith("ERR_SSL_") ||
      failure.code.startsWith("ERR_TLS_") || failure.code.startsWith("ERR_OSSL_") || failure.code.startsWith("CERT_")
    )

/**
 * Whether the server has turned away what we are. Under TLS 1.3 it says so after its side of the handshake, when the
 * first request may be on its way; nobody has looked at that (RFC 8446 §4.4.2.4).
 */
export const isRefusedClient = (failure: TlsFailure): boolean => reasons[codeOf(failure)] === "ClientCertificate"

/** `certificate` is the one that the server showed, if it came to that. */
export const tlsError = (
  origin: Origin,
  failure: TlsFailure,
  otherwise: Reason = "Other",
  certificate?: DetailedPeerCertificate
) => {
  const code = codeOf(failure)
  const reason = reasons[code] ?? otherwise
  return Failure.tlsError({
    origin: origin.href,
    reason,
    detail: `${byCode[code] ?? byReason[reason]} (${shortened(failure.reason ?? failure.message, longestText)})`,
    // The certificate is what is wrong in these cases, and in no other one.
    ...(certificate?.subject === undefined || !aboutServer.has(reason) ? {} : { certificate: factsOf(certificate) }),
    cause: failure
  })
}

const aboutServer: ReadonlySet<Reason> = new Set([
  "Expired",
  "NotYetValid",
  "UnknownAuthority",
  "HostName",
  "InvalidCertificate"
])

/** A server may send what it likes. */
const longestChain = 10
const longestText = 300

const factsOf = (certificate: DetailedPeerCertificate): Failure.Certificate => {
  const { issuer, subject, subjectaltname, valid_from, valid_to } = certificate
  const chain: Array<string> = []
  let shown: DetailedPeerCertificate | undefined = certificate
  while (shown !== undefined && chain.length < longestChain) {
    chain.push(oneLine(shown.subject))
    // One that is signed by itself is its own issuer.
    shown = shown.issuerCertificate === shown ? undefined : shown.issuerCertificate
  }
  return {
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    validFrom: valid_from,
    validTo: valid_to,
    names: namesOf(subjectaltname),
    chain
  }
}

/** `CN=a.test, O=Somebody`. */
const oneLine = (name: Certificate | undefined): string =>
  shortened(
    Object.entries(name ?? {}).map(([part, value]) => `${part}=${[value].flat().join("+")}`).join(", "),
    longestText
  )

/** `DNS:a.test, IP Address:127.0.0.1` without what kind of name each is. */
const namesOf = (names: string | undefined): ReadonlyArray<string> =>
  names === undefined
    ? []
    : names.split(", ").map((name) => name.replace(/^(DNS|IP Address|URI|email):/, ""))
