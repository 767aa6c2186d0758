import { describe } from "../options/index.js"
import type { Dialect } from "./Dialect.js"
import type { Entry } from "./Entry.js"
import { MockFailure } from "./MockFailure.js"
import type { MockRequest } from "./MockRequest.js"
import type { Expectation, Request } from "./models.js"
import { redactUrl } from "./recording.js"
import { type AnyReply, replyProblems } from "./replyProblems.js"

/** Expectations that came together, and what their responders need. */
export interface Group<E extends Expectation, Context> {
  readonly entries: ReadonlyArray<Entry<E>>
  readonly context: Context
}

/** The expectation that means a request. */
export interface Found<E extends Expectation, Context> {
  readonly entry: Entry<E>
  readonly context: Context
}

/** A request, and what became of it. */
export interface MockExchange<E extends Expectation, Reply> {
  readonly request: Request
  readonly expectation: E | undefined
  outcome:
    | { readonly _tag: "Pending" }
    | { readonly _tag: "Replied"; readonly reply: Reply }
    | { readonly _tag: "Failed"; readonly error: unknown }
    | { readonly _tag: "Cancelled" }
}

/**
 * By this header a response that stands for a failure of the test is known on its way back. As a response it passes
 * through pool and connection like any other one; as a broken connection it would be sent again.
 */
const failureHeader = "x-sluice-mock-failure"

/** What a mock expects, and what has happened: who runs responders, and what a failure does to the test, is a face's. */
export class MockLedger<E extends Expectation, Context, Reply extends AnyReply> {
  readonly requests: Array<Request> = []
  readonly history: Array<MockExchange<E, Reply>> = []
  /** Those that are asked first come first. */
  private groups: Array<Group<E, Context>> = []
  private failures: Array<MockFailure> = []
  /** Failures on their way to the client. */
  private readonly underway = new Map<string, MockFailure>()
  private readonly awaited: Array<{ readonly number: number; readonly then: (request: Request) => void }> = []
  private lastFailure = 0

  constructor(private readonly dialect: Dialect) {}

  // ---------------------------------------------------------------------------------------------------------------
  // For the test
  // ---------------------------------------------------------------------------------------------------------------

  /** Puts expectations before those that are there. */
  expect(entries: ReadonlyArray<Entry<E>>, context: Context): Group<E, Context> {
    const group = { entries, context }
    this.groups.unshift(group)
    return group
  }

  remove(group: Group<E, Context>): void {
    this.groups = this.groups.filter((other) => other !== group)
  }

  /** Calls `then` with the request of this number, 1 for the first, when it has come. */
  whenReceived(number: number, then: (request: Request) => void): void {
    if (number <= this.history.length) then(this.history[number - 1].request)
    else this.awaited.push({ number, then })
  }

  reset(): void {
    this.requests.length = 0
    this.history.length = 0
    this.failures = []
    for (const { entries } of this.groups) for (const entry of entries) entry.met = 0
  }

  /**
   * What is wrong with the test at its end, and is forgotten then. Expectations that were not met are a fault of one that
   * went well; one that did not has its own reason. `said`: what it fails with already need not be said again.
   */
  verify(wentWell: boolean, said: ReadonlyArray<unknown>): ReadonlyArray<string> {
    const failures = [
      ...this.failures.filter((failure) => !said.includes(failure)).map(({ message }) => message),
      ...(wentWell ? this.groups.flatMap(shortfalls) : [])
    ]
    this.failures = []
    return failures
  }

  // ---------------------------------------------------------------------------------------------------------------
  // For the network
  // ---------------------------------------------------------------------------------------------------------------

  /** The one that responds before the body has come, if nothing before it may mean the request by its body. */
  findEarly(request: MockRequest): Found<E, Context> | undefined {
    for (const { context, entries } of this.groups) {
      for (const entry of entries) {
        if (entry.hasRunOut || entry.differencesOfHead(request).length > 0) continue
        if (entry.expectation.early !== true) return undefined
        request.params = entry.params(request)
        return { entry, context }
      }
    }
    return undefined
  }

  /** The one that means the request with its body, or why there is none. */
  find(request: MockRequest): Found<E, Context> | { readonly miss: MockFailure } {
    try {
      return this.lookFor(request)
    } catch (error) {
      if (error instanceof MockFailure) return { miss: error }
      throw error
    }
  }

  private lookFor(request: MockRequest): Found<E, Context> | { readonly miss: MockFailure } {
    let nearest: string | undefined = undefined
    let least = Infinity
    for (const { context, entries } of this.groups) {
      for (const entry of entries) {
        const differences = entry.differences(request)
        if (differences.length === 0 && !entry.hasRunOut) {
          request.params = entry.params(request)
          return { entry, context }
        }
        const weight = differences.reduce((sum, difference) => sum + difference.weight, 0)
        if (weight >= least) continue
        least = weight
        const why = differences.length === 0
          ? `it has run out, after ${entry.met} of ${entry.met} requests`
          : differences.map(({ text }) => text).join("; ")
        nearest = `${entry.name}: ${why}`
      }
    }
    return {
      miss: new MockFailure(
        `nothing was said of ${request.method} ${redactUrl(request.url)}; ` +
          (nearest === undefined ? "no request was expected at all" : `the nearest is ${nearest}`)
      )
    }
  }

  /** A request is about to get its response. */
  begin(request: MockRequest, expectation: E | undefined): MockExchange<E, Reply> {
    const exchange: MockExchange<E, Reply> = { request, expectation, outcome: { _tag: "Pending" } }
    this.requests.push(request)
    this.history.push(exchange)
    for (const waiter of [...this.awaited]) {
      if (waiter.number > this.history.length) continue
      this.awaited.splice(this.awaited.indexOf(waiter), 1)
      waiter.then(this.history[waiter.number - 1].request)
    }
    return exchange
  }

  /** Why what a responder gave is no reply. */
  objection({ request: { method, url } }: MockExchange<E, Reply>, given: unknown): MockFailure | undefined {
    const what = `the responder of ${method} ${redactUrl(url)} gave`
    if (typeof given !== "object" || given === null) {
      return new MockFailure(`${what} ${String(given)}, which is no reply`)
    }
    const problems = replyProblems(given as AnyReply, "the reply", this.dialect)
    return problems.length === 0
      ? undefined
      : new MockFailure(`${what} what cannot be: ${problems.map(describe).join("; ")}`)
  }

  // ---------------------------------------------------------------------------------------------------------------
  // What is wrong with the test
  // ---------------------------------------------------------------------------------------------------------------

  /** The response that stands for a failure on its way to the client. */
  fail(
    exchange: MockExchange<E, Reply>,
    failure: MockFailure
  ): { readonly status: number; readonly headers: Readonly<Record<string, string>> } {
    exchange.outcome = { _tag: "Failed", error: failure }
    this.failures.push(failure)
    const number = String(++this.lastFailure)
    this.underway.set(number, failure)
    return { status: 500, headers: { [failureHeader]: number } }
  }

  /** The failure that a response stands for, once. */
  failureOf(headers: Readonly<Record<string, string>>): MockFailure | undefined {
    const number = headers[failureHeader] ?? ""
    const failure = this.underway.get(number)
    this.underway.delete(number)
    return failure
  }
}

/** Why expectations were not met as they should have been. */
export const shortfalls = ({ entries }: Pick<Group<Expectation, unknown>, "entries">): ReadonlyArray<string> =>
  entries.flatMap((entry) => entry.shortfall ?? [])
