/**
 * Digest access authentication (RFC 7616), for `Credentials.withCredentials`.
 *
 * @since 0.1.0
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { Credential } from "@sluice/core/Credentials"
import { type Challenge, challengesOf } from "@sluice/engine/client"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { createHash, randomBytes } from "node:crypto"
import { bodyBytes } from "./internal/bodyBytes.js"

/**
 * Responds to the Digest challenges of one origin: SHA-512-256, SHA-256 and MD5, with `-sess`, `auth`, `auth-int` and
 * `userhash`; the strongest that the server offers. The first request is sent without credentials and gets the challenge;
 * those after it use its nonce until the server gives another one. Where a server wants `auth-int` alone, a body that is not
 * there as bytes or text is not authorized, and its 401 is the response.
 *
 * @example
 * ```ts
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as Credentials from "@sluice/core/Credentials"
 * import { Digest } from "@sluice/node"
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 *
 * const client = Effect.gen(function*() {
 *   const digest = yield* Digest.make("ada", Redacted.make("secret"))
 *   return (yield* HttpClient.HttpClient).pipe(Credentials.withCredentials({ "http://127.0.0.1:8080": digest }))
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (username: string, password: Redacted.Redacted): Effect.Effect<Credential> =>
  Effect.sync(() => {
    let session: Session | undefined
    return {
      authorize: (request) =>
        Effect.sync(() => {
          const value = session?.authorization(request)
          return value === undefined ? request : HttpClientRequest.setHeader(request, "authorization", value)
        }),
      challenged: ({ headers, request }) =>
        Effect.sync(() => {
          const challenge = strongest(challengesOf(headers["www-authenticate"] ?? ""))
          const used = nonceIn(request.headers["authorization"])
          // The credentials themselves were refused: the nonce was this one, and it is not said to be stale.
          const isRefused = challenge !== undefined && used === challenge.params["nonce"] && !isStale(challenge)
          if (challenge === undefined || isRefused || !canAuthorize(challenge, request)) return false
          // Another request may have begun the session already.
          if (session?.nonce !== challenge.params["nonce"]) {
            session = new Session(challenge, username, Redacted.value(password))
          }
          return true
        }),
      // The server gives the next nonce with a response, and spares a challenge (RFC 7616 §3.5).
      received: ({ headers }) =>
        Effect.sync(() => {
          const nonce = nextNonce(headers["authentication-info"])
          if (session !== undefined && nonce !== undefined) session = session.next(nonce)
        })
    }
  })

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
const canAuthorize = (challenge: Challenge, request: HttpClientRequest.HttpClientRequest): boolean =>
  qopOf(challenge) !== "auth-int" || bodyBytes(request) !== undefined

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
  authorization(request: HttpClientRequest.HttpClientRequest): string | undefined {
    const { a1, challenge, cnonce, isSession, nonce, realm, username } = this
    const { params } = challenge
    const url = Option.getOrUndefined(HttpClientRequest.toUrl(request))
    const qop = qopOf(challenge)
    const body = bodyBytes(request)
    if (url === undefined || !canAuthorize(challenge, request)) return undefined
    const uri = url.pathname + url.search
    const count = (++this.count).toString(16).padStart(8, "0")
    const a2 = qop === "auth-int"
      ? this.hash(`${request.method}:${uri}:${this.hash(body ?? "")}`)
      : this.hash(`${request.method}:${uri}`)
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
