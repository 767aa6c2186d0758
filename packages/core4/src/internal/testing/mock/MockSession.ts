import { describe } from "@sluice/engine/options"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { InvalidOptions } from "../../../InvalidOptions.js"
import { isTransportError, type TransportError } from "../../../TransportError.js"
import type * as MemoryNetwork from "../memoryModels.js"
import { otherClock } from "../otherClock.js"
import { toNetwork } from "./content.js"
import { compile, type Entry } from "./expectation.js"
import { Fault, perform } from "./Fault.js"
import { MockFailure } from "./MockFailure.js"
import { MockRequest } from "./MockRequest.js"
import type * as MockHttp from "./models.js"
import { replyProblems } from "./replyProblems.js"

/** Expectations that came together, and what their responders need. */
interface Group {
  readonly entries: ReadonlyArray<Entry>
  readonly context: Context.Context<unknown>
}

/** The expectation that means a request. */
interface Found {
  readonly entry: Entry
  readonly context: Context.Context<unknown>
}

interface MockExchange extends MockHttp.Exchange {
  outcome: MockHttp.Exchange["outcome"]
}

/**
 * By this header a response that stands for a failure of the test is known on its way back. As a response it passes
 * through pool and connection like any other one; as a broken connection it would be sent again.
 */
const failureHeader = "x-sluice-mock-failure"

/** What a mock expects, and what has happened. */
export class MockSession implements MockHttp.MockHttp {
  readonly requests: Array<MockHttp.Request> = []
  readonly history: Array<MockExchange> = []
  /** Those that are asked first come first. */
  private groups: Array<Group> = []
  private failures: Array<MockFailure> = []
  /** Failures on their way to the client. */
  private readonly underway = new Map<string, MockFailure>()
  private readonly awaited: Array<{ readonly number: number; readonly deferred: Deferred.Deferred<MockHttp.Request> }> =
    []
  private lastFailure = 0

  // ---------------------------------------------------------------------------------------------------------------
  // For the test
  // ---------------------------------------------------------------------------------------------------------------

  readonly awaitRequest = (number: number): Effect.Effect<MockHttp.Request> =>
    Effect.suspend(() => {
      if (!(Number.isInteger(number) && number > 0)) {
        return Effect.die(new MockFailure(`awaitRequest(${number}): the first request has the number 1`))
      }
      if (number <= this.history.length) return Effect.succeed(this.history[number - 1].request)
      const deferred = Deferred.makeUnsafe<MockHttp.Request>()
      this.awaited.push({ number, deferred })
      return Deferred.await(deferred)
    })

  expect(
    expectations: ReadonlyArray<MockHttp.Expectation<unknown>>,
    context: Context.Context<unknown>
  ): Effect.Effect<Group, InvalidOptions> {
    return Result.match(compile(expectations), {
      onFailure: (problems) => Effect.fail(new InvalidOptions({ problems })),
      onSuccess: (entries) =>
        Effect.sync(() => {
          const group = { entries, context }
          this.groups.unshift(group)
          return group
        })
    })
  }

  readonly override: MockHttp.MockHttp["override"] = (...expectations) =>
    Effect.flatMap(
      Effect.context<unknown>(),
      (context) =>
        Effect.acquireRelease(this.expect(expectations, context), (group, exit) =>
          Effect.suspend(() => {
            this.groups = this.groups.filter((other) => other !== group)
            return Exit.isSuccess(exit) ? fail(shortfalls(group.entries)) : Effect.void
          }))
    ) as Effect.Effect<void, InvalidOptions, Scope.Scope>

  readonly reset = Effect.sync(() => {
    this.requests.length = 0
    this.history.length = 0
    this.failures = []
    for (const { entries } of this.groups) for (const entry of entries) entry.met = 0
  })

  /** Expectations that were not met are a fault of a test that went well; one that did not has its own reason. */
  verifyAfter(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.suspend(() => {
      // What the test fails with already need not be said again.
      const said = Exit.isFailure(exit) ? exit.cause.reasons.filter(Cause.isDieReason).map(({ defect }) => defect) : []
      const failures = [
        ...this.failures.filter((failure) => !said.includes(failure)).map(({ message }) => message),
        ...(Exit.isSuccess(exit) ? this.groups.flatMap(({ entries }) => shortfalls(entries)) : [])
      ]
      this.failures = []
      return fail(failures)
    })
  }

  readonly verify = Effect.suspend(() => this.verifyAfter(Exit.void))

  // ---------------------------------------------------------------------------------------------------------------
  // For the network
  // ---------------------------------------------------------------------------------------------------------------

  respond(received: MemoryNetwork.Request): Effect.Effect<MemoryNetwork.Reply, TransportError> {
    return Effect.suspend(() => {
      const request = new MockRequest(received)
      const early = this.findEarly(request)
      return early === undefined
        ? Effect.flatMap(Stream.runDrain(received.body), () => this.respondTo(received, request, this.find(request)))
        : this.respondTo(received, request, early)
    })
  }

  private respondTo(
    received: MemoryNetwork.Request,
    request: MockRequest,
    found: Found | { readonly miss: string }
  ): Effect.Effect<MemoryNetwork.Reply, TransportError> {
    const exchange: MockExchange = {
      request,
      expectation: "entry" in found ? found.entry.expectation : undefined,
      outcome: { _tag: "Pending" }
    }
    this.requests.push(request)
    this.history.push(exchange)
    this.wake()
    if ("miss" in found) return this.failWith(exchange, new MockFailure(found.miss))
    const { context, entry } = found
    const responder = entry.responder()
    entry.met++
    return this.run(exchange, received, Effect.provide(evaluate(responder, request), context))
  }

  private run(
    exchange: MockExchange,
    received: MemoryNetwork.Request,
    reply: Effect.Effect<unknown, unknown>
  ): Effect.Effect<MemoryNetwork.Reply, TransportError> {
    const { method, url } = exchange.request
    return Effect.matchCauseEffect(reply, {
      onFailure: (cause) => {
        const error = Cause.squash(cause)
        if (Cause.hasInterruptsOnly(cause)) {
          exchange.outcome = { _tag: "Cancelled" }
          return Effect.failCause(cause as Cause.Cause<never>)
        }
        if (isTransportError(error) && Cause.hasFails(cause)) {
          exchange.outcome = { _tag: "Failed", error }
          return Effect.fail(error)
        }
        const what = error instanceof Error ? error.message : String(error)
        return this.failWith(
          exchange,
          new MockFailure(`the responder of ${method} ${url} failed: ${what}`, { cause: error })
        )
      },
      onSuccess: (reply) => {
        if (reply instanceof Fault) {
          exchange.outcome = { _tag: "Failed", error: reply }
          return perform(reply, received)
        }
        if (typeof reply !== "object" || reply === null) {
          return this.failWith(
            exchange,
            new MockFailure(`the responder of ${method} ${url} gave ${String(reply)}, which is no reply`)
          )
        }
        const problems = replyProblems(reply, "the reply")
        if (problems.length > 0) {
          const why = problems.map(describe).join("; ")
          return this.failWith(
            exchange,
            new MockFailure(`the responder of ${method} ${url} gave what cannot be: ${why}`)
          )
        }
        exchange.outcome = { _tag: "Replied", reply }
        return toNetwork(reply, received)
      }
    })
  }

  /** The one that responds before the body has come, if nothing before it may mean the request by its body. */
  private findEarly(request: MockRequest): Found | undefined {
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

  private find(request: MockRequest): Found | { readonly miss: string } {
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
      miss: `nothing was said of ${request.method} ${request.url}; ` +
        (nearest === undefined ? "no request was expected at all" : `the nearest is ${nearest}`)
    }
  }

  private wake(): void {
    const { history } = this
    for (const waiter of [...this.awaited]) {
      if (waiter.number > history.length) continue
      this.awaited.splice(this.awaited.indexOf(waiter), 1)
      Deferred.doneUnsafe(waiter.deferred, Exit.succeed(history[waiter.number - 1].request))
    }
  }

  // ---------------------------------------------------------------------------------------------------------------
  // What is wrong with the test
  // ---------------------------------------------------------------------------------------------------------------

  private failWith(exchange: MockExchange, failure: MockFailure): Effect.Effect<MemoryNetwork.Reply> {
    exchange.outcome = { _tag: "Failed", error: failure }
    this.failures.push(failure)
    const number = String(++this.lastFailure)
    this.underway.set(number, failure)
    return Effect.succeed({ status: 500, headers: { [failureHeader]: number } })
  }

  /** The Clock of the pool and its network. */
  constructor(private readonly clock: Clock.Clock) {}

  /**
   * A response that stands for a failure is a defect of the fiber that gets it. So is a request under a `TestClock` that
   * is not the one of the pool: `adjust` would move nothing, and the test would wait for ever.
   */
  readonly raise = <E, R>(
    response: Effect.Effect<HttpClientResponse, E, R>
  ): Effect.Effect<HttpClientResponse, E, R> =>
    Clock.clockWith((clock) =>
      Effect.suspend(() => {
        const problem = otherClock(clock, this.clock)
        return problem === undefined ? this.deliver(response) : Effect.die(new MockFailure(problem))
      })
    )

  private deliver<E, R>(
    response: Effect.Effect<HttpClientResponse, E, R>
  ): Effect.Effect<HttpClientResponse, E, R> {
    return Effect.flatMap(response, (response) => {
      const failure = this.underway.get(response.headers[failureHeader] ?? "")
      if (failure === undefined) return Effect.succeed(response)
      this.underway.delete(response.headers[failureHeader])
      return Effect.die(failure)
    })
  }
}

const shortfalls = (entries: ReadonlyArray<Entry>): ReadonlyArray<string> =>
  entries.flatMap((entry) => entry.shortfall ?? [])

const fail = (failures: ReadonlyArray<string>): Effect.Effect<void> =>
  failures.length === 0 ? Effect.void : Effect.die(new MockFailure(failures.join("\n")))

/** A responder may throw at once, or in its Effect. */
const evaluate = (
  responder: MockHttp.Responder<unknown>,
  request: MockHttp.Request
): Effect.Effect<unknown, unknown, unknown> =>
  Effect.suspend(() => {
    const reply = typeof responder === "function" ? responder(request) : responder
    return Effect.isEffect(reply) ? reply : Effect.succeed(reply)
  })
