/**
 * Following redirects as RFC 9110 §15.4 and the Fetch standard say. The platform's own `HttpClient.followRedirects`
 * keeps the method and sends body and credentials to whatever host it is sent to.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import { ResponseError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as UrlParams from "@effect/platform/UrlParams"
import { isIdempotent } from "@sluice/engine/call"
import {
  harmlessFields,
  type Hop,
  isRedirect,
  RedirectChain,
  type RedirectPolicy,
  redirectPolicy,
  type Step,
  stepOf
} from "@sluice/engine/client"
import * as optionTable from "@sluice/engine/options"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberRef from "effect/FiberRef"
import { dual, identity } from "effect/Function"
import { globalValue } from "effect/GlobalValue"
import * as Option from "effect/Option"
import * as Idempotency from "./Idempotency.js"
import { discard } from "./internal/client/discard.js"
import { HttpResponse } from "./internal/client/HttpResponse.js"
import { counted } from "./internal/client/sends.js"
import { shownRequest, shownUrlOf, withShownUrl } from "./internal/client/shownRequest.js"
import { type Halves, halvesOf, isClient } from "./internal/clientHalves.js"
import * as deadline from "./internal/deadline.js"
import { originalOf } from "./internal/DerivedResponse.js"
import { countRedirect } from "./internal/metrics/callCounters.js"
import * as redirect from "./internal/redirect.js"
import { isReplayable } from "./internal/replayableBody.js"
import { inheritScope } from "./internal/scopedRequests.js"
import { check, once } from "./InvalidOptions.js"

/**
 * A redirect that is about to be followed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Redirect {
  /** The response that asks for it. Its body is discarded when the redirect is followed. */
  readonly response: HttpClientResponse
  /** The URL that was requested, and the one that is requested next. */
  readonly from: URL
  readonly to: URL
  /** Whether this redirect, or one before it, leads to another origin. */
  readonly crossedOrigins: boolean
  /** How many redirects have been followed before it. */
  readonly followed: number
}

export type {
  /**
   * A redirect that was followed. URLs are without user and password; printed, also without the values of
   * their queries.
   *
   * @since 0.1.0
   * @category models
   */
  Hop
} from "@sluice/engine/client"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options<E = never, R = never> {
  /** How many redirects in a row are followed. One more is a `ResponseError`. Default 20. */
  readonly maxRedirects?: number | undefined
  /**
   * Request headers that may go along to another origin, besides those that are known to be harmless:
   * `Redirects.harmlessHeaders`. Default: none.
   */
  readonly allowHeaders?: ReadonlyArray<string> | undefined
  /**
   * Whether a 307 or 308 to another origin takes the request's body along. It never goes from https to http. A redirect
   * whose body must not go along is not followed: its response is the caller's. Default `false`.
   */
  readonly bodiesAcrossOrigins?: boolean | undefined
  /**
   * Asked before each redirect with the request that would be sent next: gives that request, or another one, or none, so
   * that the redirect's response is the caller's. Headers that it adds are sent on this hop, to whatever origin. What it
   * throws is a defect of the request, as of every function that returns an Effect; what it fails with, its error.
   */
  readonly onRedirect?:
    | ((
      next: HttpClientRequest.HttpClientRequest,
      redirect: Redirect
    ) => Effect.Effect<Option.Option<HttpClientRequest.HttpClientRequest>, E, R>)
    | undefined
}

/**
 * The request headers that go along to another origin: they say what is asked for and describe content. Every other one
 * may be a secret of the origin that it was given for.
 *
 * @since 0.1.0
 * @category constants
 */
export const harmlessHeaders: ReadonlyArray<string> = harmlessFields

/**
 * The origins whose credentials must not be sent any more in this chain of redirects, because a redirect has led away from
 * them. A wrapper of one's own that adds credentials below `follow` and is not a mapper looks here.
 *
 * @since 0.1.0
 * @category fiber refs
 */
export const departedOrigins: FiberRef.FiberRef<ReadonlySet<string>> = globalValue(
  Symbol.for("@sluice/core/Redirects/departedOrigins"),
  () => FiberRef.unsafeMake<ReadonlySet<string>>(new Set())
)

const histories = globalValue(
  Symbol.for("@sluice/core/Redirects/histories"),
  () => new WeakMap<HttpClientResponse, ReadonlyArray<Hop>>()
)

/**
 * The redirects that led to a response, oldest first; empty when there were none.
 *
 * @since 0.1.0
 * @category accessors
 */
export const history = (response: HttpClientResponse): ReadonlyArray<Hop> => histories.get(response) ?? []

/**
 * Follows redirects:
 *
 * - 301 and 302 make a GET of a POST; 303 makes a GET of everything but HEAD; 307 and 308 change nothing. 300, 304 and
 *   305, a response without a location and one with two different ones are responses like any other.
 * - To another origin only `harmlessHeaders` and what `allowHeaders` names go along, and a body only if
 *   `bodiesAcrossOrigins` says so. What was left out stays out for the rest of the chain, also back at the first origin.
 *   The same host moved from http to https, both on their usual ports, is not another origin.
 * - What `mapRequest`, `mapRequestEffect`, `tapRequest` and `withCookiesRef` have added to the client, before or after
 *   `follow`, runs for each hop on the request as the caller made it, at its new URL. A failure ends the redirect. The URL
 *   and method that they give are ignored, and to another origin the headers are filtered once more. (What comes after
 *   `HttpClient.transform` or `withScope` cannot be run again: put guards before them.)
 * - The fragment is kept when the new location has none, and an idempotency key when the request stays what it is.
 * - A redirect that would need a body that can be read once again is not followed.
 * - The response in between is discarded first, so that one connection is enough.
 *
 * A location that is no http URL and one redirect too many fail with `ResponseError`. `history` lists the redirects that led
 * to a response. An option that makes no sense throws `InvalidOptions` where the client is made.
 *
 * @example
 * ```ts
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as Redirects from "@sluice/core/Redirects"
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 *
 * const program = Effect.gen(function*() {
 *   const client = Redirects.follow(yield* HttpClient.HttpClient, {
 *     maxRedirects: 5,
 *     onRedirect: (next, { to }) => Effect.succeed(to.protocol === "https:" ? Option.some(next) : Option.none())
 *   })
 *   const response = yield* client.get("http://127.0.0.1:8080/old")
 *   return Redirects.history(response).map(({ location }) => location)
 * })
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const follow: {
  <E2 = never, R2 = never>(
    options?: Options<E2, R2>
  ): <E, R>(client: HttpClient.HttpClient.With<E, R>) => HttpClient.HttpClient.With<E | E2 | ResponseError, R | R2>
  <E, R, E2 = never, R2 = never>(
    client: HttpClient.HttpClient.With<E, R>,
    options?: Options<E2, R2>
  ): HttpClient.HttpClient.With<E | E2 | ResponseError, R | R2>
} = dual(
  (args) => isClient(args[0]),
  <E, R, E2 = never, R2 = never>(client: HttpClient.HttpClient.With<E, R>, options: Options<E2, R2> = {}) => {
    const policy = resolve(options)
    const halves = halvesOf(client)
    return HttpClient.makeWith<E, R, E | E2 | ResponseError, R | R2>(
      (request) =>
        counted(deadline.withinTotal(Effect.suspend(() => {
          const chain = new Chain(policy, halves, request)
          return Effect.flatMap(chain.send(undefined), (response) => chain.follow(response))
        }))),
      (request) =>
        Effect.flatMap(FiberRef.get(currentHop), (innermost) => {
          const hop = hopOf(halves, innermost)
          if (hop === undefined) return halves.preprocess(request)
          hop.input = request
          return halves.preprocess(hop.request ?? request)
        })
    )
  }
)

interface Policy<E, R> extends RedirectPolicy {
  readonly onRedirect: Options<E, R>["onRedirect"]
}

const resolve = <E, R>(options: Options<E, R>): Policy<E, R> => ({
  ...redirectPolicy(Either.getOrThrowWith(checkOptions(options), identity)),
  onRedirect: options.onRedirect
})

const checkOptions = once((given) => check(optionTable.redirects, given, "Redirects"))

/**
 * How the mappers around `follow` come to run on a hop's request. They are composed into the effect that gives the
 * request; its first step is our own `preprocess`, which takes the hop's request instead of the caller's.
 */
interface HopInProgress {
  readonly halves: object
  /** The request of the hop; none for the first request, which is the caller's. */
  readonly request: HttpClientRequest.HttpClientRequest | undefined
  /** The caller's request, once it has passed; none when a wrapper gives us a finished request. */
  input: HttpClientRequest.HttpClientRequest | undefined
  /** That of another `follow`, around this one or within it. */
  readonly other: HopInProgress | undefined
}

const hopOf = (halves: object, hop: HopInProgress | undefined): HopInProgress | undefined =>
  hop === undefined || hop.halves === halves ? hop : hopOf(halves, hop.other)

const currentHop: FiberRef.FiberRef<HopInProgress | undefined> = globalValue(
  Symbol.for("@sluice/core/Redirects/currentHop"),
  () => FiberRef.unsafeMake<HopInProgress | undefined>(undefined)
)

/** A hop: its request as the caller would have made it, and what mappers must not change. */
interface NextHop {
  readonly request: HttpClientRequest.HttpClientRequest
  readonly to: URL
  readonly becomesGet: boolean
}

/** One call with all its redirects. */
class Chain<E, R, E2, R2> {
  private readonly chain: RedirectChain
  /** The request of the current hop before the mappers, from which the next one is made. */
  private unmapped: HttpClientRequest.HttpClientRequest | undefined = undefined
  /** What was sent first. */
  private first: HttpClientRequest.HttpClientRequest | undefined = undefined

  constructor(
    private readonly policy: Policy<E2, R2>,
    private readonly halves: Halves<E, R>,
    /** Gives the caller's request through all mappers; it can be run again, for each attempt and hop. */
    private readonly request: Effect.Effect<HttpClientRequest.HttpClientRequest, E, R>
  ) {
    this.chain = new RedirectChain(policy)
  }

  /** Sends the first request, or a hop's. The mappers run within, so that a retry below runs them anew. */
  send(next: NextHop | undefined): Effect.Effect<HttpClientResponse, E, R> {
    if (next === undefined) return this.halves.postprocess(this.mapped(undefined))
    const { becomesGet, request, to } = next
    const { isAllowed } = this.chain
    const mapped = Effect.map(
      this.unmapped === undefined ? this.halves.preprocess(request) : this.mapped(request),
      (mapped) => this.withScope(redirect.kept(request, mapped, to, becomesGet, isAllowed))
    )
    if (this.unmapped !== undefined) this.unmapped = request
    return Effect.locally(this.halves.postprocess(mapped), departedOrigins, this.chain.departed)
  }

  private withScope(request: HttpClientRequest.HttpClientRequest): HttpClientRequest.HttpClientRequest {
    return this.first === undefined ? request : inheritScope(this.first, request)
  }

  private mapped(
    request: HttpClientRequest.HttpClientRequest | undefined
  ): Effect.Effect<HttpClientRequest.HttpClientRequest, E, R> {
    return Effect.suspend(() => {
      let hop: HopInProgress | undefined
      const within = Effect.locallyWith(
        this.request,
        currentHop,
        (other) => hop = { halves: this.halves, request, input: undefined, other }
      )
      return Effect.map(within, (mapped) => {
        if (request === undefined) {
          this.unmapped = hop?.input
          this.first = mapped
        }
        return mapped
      })
    })
  }

  follow(response: HttpClientResponse): Effect.Effect<HttpClientResponse, E | E2 | ResponseError, R | R2> {
    const { request, status } = response
    if (!isRedirect(status)) return this.end(response)
    const from = UrlParams.makeUrl(request.url, request.urlParams, request.hash)
    if (Either.isLeft(from)) return this.end(response)
    const decision = this.chain.decide({
      status,
      method: request.method,
      from: from.right,
      locations: locationsOf(response),
      content: request.body._tag === "Empty" ? "Empty" : isReplayable(request.body) ? "Replayable" : "Once"
    })
    if (decision._tag === "End") return this.end(response)
    if (decision._tag === "Fail") return this.fail(response, decision.problem)
    const { step } = decision
    return Effect.flatMap(FiberRef.get(Idempotency.current), (keys) => {
      this.chain.take(step)
      const unmapped = redirect.redirected(this.unmapped ?? request, request.method, step, this.chain.isAllowed)
      const next = step.becomesGet ? unmapped : withKeyOf(request, keys, unmapped)
      return this.policy.onRedirect === undefined
        ? this.advance(response, step, next)
        : this.ask(this.policy.onRedirect, response, step, next)
    })
  }

  private ask(
    onRedirect: NonNullable<Policy<E2, R2>["onRedirect"]>,
    response: HttpClientResponse,
    step: Step,
    next: HttpClientRequest.HttpClientRequest
  ): Effect.Effect<HttpClientResponse, E | E2 | ResponseError, R | R2> {
    const { from, to } = step
    const asked = { response, from, to, crossedOrigins: this.chain.departed.size > 0, followed: this.chain.hops.length }
    return Effect.flatMap(
      Effect.onError(Effect.suspend(() => onRedirect(next, asked)), () => discard(response)),
      Option.match({
        onNone: () => this.end(response),
        onSome: (changed) => {
          const url = UrlParams.makeUrl(changed.url, changed.urlParams, changed.hash)
          if (Either.isLeft(url)) return this.fail(response, "onRedirect gave a request whose URL is not valid")
          const elsewhere = stepOf(changed.method, response.status, from, url.right)
          if (!elsewhere.crosses || step.crosses) return this.advance(response, { ...step, to: url.right }, changed)
          // It was sent elsewhere by `onRedirect`: its headers were made for the origin that was asked for.
          this.chain.depart(from)
          return this.advance(
            response,
            { ...step, to: url.right, crosses: true },
            redirect.redirected(changed, changed.method, { ...elsewhere, becomesGet: false }, this.chain.isAllowed)
          )
        }
      })
    )
  }

  private advance(
    response: HttpClientResponse,
    { from, to }: Step,
    request: HttpClientRequest.HttpClientRequest
  ): Effect.Effect<HttpClientResponse, E | E2 | ResponseError, R | R2> {
    countRedirect()
    const { request: sent, status } = response
    this.chain.follow(sent.method, status, from, to, (url) => shownUrlOf(sent, url))
    return discard(response).pipe(
      Effect.zipRight(Effect.suspend(() => this.send({ request, to, becomesGet: this.chain.contentDropped }))),
      Effect.flatMap((response) => this.follow(response))
    )
  }

  private end(response: HttpClientResponse): Effect.Effect<HttpClientResponse> {
    if (this.chain.hops.length > 0) histories.set(response, this.chain.hops)
    return Effect.succeed(response)
  }

  private fail(response: HttpClientResponse, description: string): Effect.Effect<never, ResponseError> {
    const request = shownRequest(response.request)
    return Effect.zipRight(
      discard(response),
      Effect.fail(withShownUrl(new ResponseError({ request, response, reason: "StatusCode", description })))
    )
  }
}

/** As they came: joined by a comma, two of them look like one that has a comma in it. */
const locationsOf = (response: HttpClientResponse): string | ReadonlyArray<string> | undefined => {
  const original = originalOf(response)
  if (!(original instanceof HttpResponse)) return response.headers["location"]
  const fields = original.fields("location")
  return fields.length === 0 ? undefined : fields
}

/** A request that goes on as it is stays the same request for a server that recognises it by its key. */
const withKeyOf = (
  sent: HttpClientRequest.HttpClientRequest,
  keys: Idempotency.Keys | undefined,
  next: HttpClientRequest.HttpClientRequest
): HttpClientRequest.HttpClientRequest =>
  keys === undefined || isIdempotent(sent.method) || next.headers["idempotency-key"] !== undefined
    ? next
    : HttpClientRequest.setHeader(next, "idempotency-key", sent.headers["idempotency-key"] ?? keys.keyFor(sent))
