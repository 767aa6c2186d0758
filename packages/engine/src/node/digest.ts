import { createHash, randomBytes } from "node:crypto"
import { type Challenge, challengesOf } from "../client/index.js"
import type { SignedRequest } from "./SignedRequest.js"

/** The Digest challenges of one origin, and how they are responded to (RFC 7616). */
export class DigestCredentials {
  private session: Session | undefined = undefined

  constructor(private readonly username: string, private readonly password: () => string) {}

  /** The value of `Authorization`; none while there was no challenge, and for a body that has to be at hand and is not. */
  authorization(request: SignedRequest): string | undefined {
    return this.session?.authorization(request)
  }

  /** After a 401: whether authorizing the request anew may help. `used` is the `Authorization` that it had. */
  challenged(field: string | undefined, used: string | undefined, request: SignedRequest): boolean {
    const challenge = strongest(challengesOf(field ?? ""))
    const nonce = challenge?.params["nonce"]
    // The credentials themselves were refused: the nonce was this one, and it is not said to be stale.
    const isRefused = challenge !== undefined && nonceIn(used) === nonce && !isStale(challenge)
    if (challenge === undefined || isRefused || !canAuthorize(challenge, request)) return false
    // Another request may have begun the session already.
    if (this.session?.nonce !== nonce) this.session = new Session(challenge, this.username, this.password())
    return true
  }

  /** The server gives the next nonce with a response, and spares a challenge (RFC 7616 §3.5). */
  received(authenticationInfo: string | undefined): void {
    const nonce = nextNonce(authenticationInfo)
    if (this.session !== undefined && nonce !== undefined) this.session = this.session.next(nonce)
  }
}

const algorithms: Readonly<Record<string, string>> = { "sha-512-256": "sha512-256", "sha-256": "sha256", md5: "md5" }

const baseOf = ({ params }: Challenge): string => (params["algorithm"] ?? "MD5").toLowerCase().replace(/-sess$/, "")

const strongest = (challenges: ReadonlyArray<Challenge>): Challenge | undefined =>
  Object.keys(algorithms).flatMap((name) =>
    challenges.filter((challenge) =>
      challenge.scheme === "digest" && challenge.params["nonce"] !== undefined && baseOf(challenge) === name &&
      qopOf(challenge) !== "Unknown"
    )
  )[0]

const isStale = ({ params }: Challenge): boolean => params["stale"]?.toLowerCase() === "true"

/** `auth-int` is over the body, which has to be at hand for that. */
const canAuthorize = (challenge: Challenge, { body }: SignedRequest): boolean =>
  qopOf(challenge) !== "auth-int" || body !== undefined

/** `Authentication-Info` has the parameters of a challenge and no scheme. */
const nextNonce = (field: string | undefined): string | undefined =>
  field === undefined ? undefined : challengesOf(`Digest ${field}`)[0]?.params["nextnonce"]

const nonceIn = (authorization: string | undefined): string | undefined =>
  challengesOf(authorization ?? "")[0]?.params["nonce"]

/** None: a server of RFC 2069, which knows no quality of protection. */
const qopOf = ({ params }: Challenge): "auth" | "auth-int" | undefined | "Unknown" => {
  if (params["qop"] === undefined) return undefined
  const offered = params["qop"].toLowerCase().split(",").map((qop) => qop.trim())
  return offered.includes("auth") ? "auth" : offered.includes("auth-int") ? "auth-int" : "Unknown"
}

/** A nonce and how often it has been used. */
class Session {
  private count = 0
  private readonly cnonce = randomBytes(16).toString("hex")
  /** H(A1). With `-sess` it is of the first nonce, whatever follows it (RFC 7616 §3.4.2). */
  private readonly a1: string

  constructor(
    private readonly challenge: Challenge,
    private readonly username: string,
    private readonly password: string,
    readonly nonce: string = challenge.params["nonce"],
    a1?: string
  ) {
    const secret = this.hash(`${username}:`, octets(this.realm), `:${password}`)
    this.a1 = a1 ?? (this.isSession ? this.hash(`${secret}:${nonce}:${this.cnonce}`) : secret)
  }

  next(nonce: string): Session {
    return new Session(this.challenge, this.username, this.password, nonce, this.a1)
  }

  private get realm(): string {
    return this.challenge.params["realm"] ?? ""
  }

  private get isSession(): boolean {
    return this.challenge.params["algorithm"]?.toLowerCase().endsWith("-sess") === true
  }

  private hash(...parts: ReadonlyArray<string | Uint8Array>): string {
    const digest = createHash(algorithms[baseOf(this.challenge)])
    for (const part of parts) digest.update(part)
    return digest.digest("hex")
  }

  /** None for a body whose digest is asked for and that is not at hand. */
  authorization(request: SignedRequest): string | undefined {
    const { a1, challenge, cnonce, isSession, nonce, realm, username } = this
    const { params } = challenge
    const qop = qopOf(challenge)
    const { body, method, url } = request
    if (!canAuthorize(challenge, request)) return undefined
    const uri = url.pathname + url.search
    const count = (++this.count).toString(16).padStart(8, "0")
    const a2 = qop === "auth-int"
      ? this.hash(`${method}:${uri}:${this.hash(body ?? "")}`)
      : this.hash(`${method}:${uri}`)
    const response = qop === undefined
      ? this.hash(`${a1}:${nonce}:${a2}`)
      : this.hash(`${a1}:${nonce}:${count}:${cnonce}:${qop}:${a2}`)
    const isHashed = params["userhash"]?.toLowerCase() === "true"
    const name = isHashed
      ? `username=${quoted(this.hash(`${username}:`, octets(realm)))}`
      : /^[\x20-\x7e]*$/.test(username)
      ? `username=${quoted(username)}`
      : `username*=UTF-8''${encodeExtended(username)}`
    return "Digest " + [
      name,
      `realm=${quoted(realm)}`,
      `nonce=${quoted(nonce)}`,
      `uri=${quoted(uri)}`,
      `response=${quoted(response)}`,
      ...(params["algorithm"] === undefined ? [] : [`algorithm=${params["algorithm"]}`]),
      ...(params["opaque"] === undefined ? [] : [`opaque=${quoted(params["opaque"])}`]),
      ...(qop === undefined && !isSession ? [] : [`cnonce=${quoted(cnonce)}`]),
      ...(qop === undefined ? [] : [`qop=${qop}`, `nc=${count}`]),
      ...(isHashed ? ["userhash=true"] : [])
    ].join(", ")
  }
}

/** RFC 8187 §3.2.1 has fewer characters than a URL. */
const encodeExtended = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** What a server has said is hashed as it has sent it: each character of a header is an octet. */
const octets = (text: string): Uint8Array => Buffer.from(text, /^[\0-\xff]*$/.test(text) ? "latin1" : "utf8")

const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&")}"`
