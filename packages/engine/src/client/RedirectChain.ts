import { shownAs } from "../printing.js"
import * as location from "./location.js"
import { harmlessFields, mayLeave, type Step, stepOf, withoutUserinfo } from "./redirects.js"

/** A redirect that was followed. URLs are without user and password; printed, also without the values of their queries. */
export interface Hop {
  readonly method: string
  readonly url: string
  readonly status: number
  /** Where it led. */
  readonly location: string
}

export interface RedirectPolicy {
  readonly maxRedirects: number
  readonly bodiesAcrossOrigins: boolean
  readonly isHarmless: (name: string) => boolean
}

/** With the fields that may go along to another origin besides the harmless ones. */
export const redirectPolicy = (
  { allowHeaders, bodiesAcrossOrigins, maxRedirects }: Omit<RedirectPolicy, "isHarmless"> & {
    readonly allowHeaders: ReadonlyArray<string>
  }
): RedirectPolicy => {
  const harmless = new Set([...harmlessFields, ...allowHeaders.map((name) => name.toLowerCase())])
  return { maxRedirects, bodiesAcrossOrigins, isHarmless: (name) => harmless.has(name) }
}

/** A response that may lead elsewhere, and its request. */
export interface RedirectingResponse {
  readonly status: number
  readonly method: string
  /** Where the request went. */
  readonly from: URL
  readonly locations: string | ReadonlyArray<string> | undefined
  /** `Once`: its content cannot be sent again. */
  readonly content: "Empty" | "Replayable" | "Once"
}

/**
 * What is done with a response.
 *
 * - `End`: it is the caller's.
 * - `Fail`: it asks for what cannot be followed.
 */
export type RedirectDecision =
  | { readonly _tag: "End" }
  | { readonly _tag: "Fail"; readonly problem: string }
  | { readonly _tag: "Follow"; readonly step: Step }

const end: RedirectDecision = { _tag: "End" }
const fail = (problem: string): RedirectDecision => ({ _tag: "Fail", problem })

const everything = () => true

const nowhere: ReadonlySet<string> = new Set()

/** One call with all its redirects. */
export class RedirectChain {
  readonly hops: Array<Hop> = []
  /** The origins that a redirect has led away from. */
  departed: ReadonlySet<string> = nowhere
  /** A content that was dropped stays dropped, whatever mappers add. */
  contentDropped = false

  constructor(private readonly policy: RedirectPolicy) {}

  decide({ content, from, locations, method, status }: RedirectingResponse): RedirectDecision {
    const target = location.resolve(locations, from)
    if (target._tag === "None") return end
    if (target._tag === "Invalid") return fail(target.problem)
    const step = stepOf(method, status, from, target.url)
    const { bodiesAcrossOrigins, maxRedirects } = this.policy
    const mayResend = step.becomesGet || content === "Empty" ||
      (content === "Replayable" && mayLeave(step, bodiesAcrossOrigins))
    if (!mayResend) return end
    return this.hops.length >= maxRedirects ? fail(`more than ${maxRedirects} redirects`) : { _tag: "Follow", step }
  }

  /** The redirect is about to be followed. */
  take({ becomesGet, crosses, from }: Step): void {
    if (crosses) this.depart(from)
    this.contentDropped ||= becomesGet
  }

  /** Nothing that was made for this origin goes on. */
  depart({ origin }: URL): void {
    this.departed = new Set([...this.departed, origin])
  }

  /** The redirect is followed. `show` says what is printed of a URL. */
  follow(method: string, status: number, from: URL, to: URL, show: (url: string) => string): void {
    const hop: Hop = { method, url: withoutUserinfo(from), status, location: withoutUserinfo(to) }
    this.hops.push(shownAs(hop, () => ({ ...hop, url: show(hop.url), location: show(hop.location) })))
  }

  /** Which fields go along. Once a redirect has led to another origin, whoever that is has chosen where all later ones lead. */
  get isAllowed(): (name: string) => boolean {
    return this.departed.size === 0 ? everything : this.policy.isHarmless
  }
}
