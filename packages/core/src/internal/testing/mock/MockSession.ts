import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import {
  compile,
  Fault,
  type Found,
  type Group,
  type MockExchange,
  MockFailure,
  MockLedger,
  MockRequest,
  redactUrl,
  shortfalls
} from "@sluice/engine/mock"
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { InvalidOptions } from "../../../InvalidOptions.js"
import { isTransportError, type TransportError } from "../../../TransportError.js"
import type * as MemoryNetwork from "../memoryModels.js"
import { otherClock } from "../otherClock.js"
import { toNetwork } from "./content.js"
import { dialect } from "./dialect.js"
import { perform } from "./faults.js"
import type * as MockHttp from "./models.js"

type Expectation = MockHttp.Expectation<unknown>
type Exchange = MockExchange<Expectation, MockHttp.Reply>
type Entries = Group<Expectation, Context.Context<unknown>>

/** What a mock expects, and what has happened. */
export class MockSession implements MockHttp.MockHttp {
  private readonly ledger = new MockLedger<Expectation, Context.Context<unknown>, MockHttp.Reply>(dialect)
  readonly requests: ReadonlyArray<MockHttp.Request> = this.ledger.requests
  readonly history: ReadonlyArray<Exchange> = this.ledger.history

  /** The Clock of the pool and its network. */
  constructor(private readonly clock: Clock.Clock) {}

  // ---------------------------------------------------------------------------------------------------------------
  // For the test
  // ---------------------------------------------------------------------------------------------------------------

  readonly awaitRequest = (number: number): Effect.Effect<MockHttp.Request> =>
    Effect.suspend(() => {
      if (!(Number.isInteger(number) && number > 0)) {
        return Effect.die(new MockFailure(`awaitRequest(${number}): the first request has the number 1`))
      }
      const deferred = Deferred.unsafeMake<MockHttp.Request>(FiberId.none)
      this.ledger.whenReceived(number, (request) => Deferred.unsafeDone(deferred, Exit.succeed(request)))
      return Deferred.await(deferred)
    })

  expect(
    expectations: ReadonlyArray<MockHttp.Expectation<unknown>>,
    context: Context.Context<unknown>
  ): Effect.Effect<Entries, InvalidOptions> {
    return Effect.suspend(() => {
      const { entries, problems } = compile(expectations, dialect)
      return problems.length === 0
        ? Effect.succeed(this.ledger.expect(entries, context))
        : Effect.fail(new InvalidOptions({ problems }))
    })
  }

  readonly override: MockHttp.MockHttp["override"] = (...expectations) =>
    Effect.flatMap(
      Effect.context<unknown>(),
      (context) =>
        Effect.acquireRelease(this.expect(expectations, context), (group, exit) =>
          Effect.suspend(() => {
            this.ledger.remove(group)
            return Exit.isSuccess(exit) ? fail(shortfalls(group)) : Effect.void
          }))
    ) as Effect.Effect<void, InvalidOptions, Scope.Scope>

  readonly reset = Effect.sync(() => this.ledger.reset())

  verifyAfter(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const said = Exit.isFailure(exit) ? [...Cause.defects(exit.cause)] : []
      return fail(this.ledger.verify(Exit.isSuccess(exit), said))
    })
  }

  readonly verify = Effect.suspend(() => this.verifyAfter(Exit.void))

  // ---------------------------------------------------------------------------------------------------------------
  // For the network
  // ---------------------------------------------------------------------------------------------------------------

  respond(received: MemoryNetwork.Request): Effect.Effect<MemoryNetwork.Reply, TransportError> {
    return Effect.suspend(() => {
      const request = new MockRequest(received)
      const early = this.ledger.findEarly(request)
      return early === undefined
        ? Effect.flatMap(
          Stream.runDrain(received.body),
          () => this.respondTo(received, request, this.ledger.find(request))
        )
        : this.respondTo(received, request, early)
    })
  }

  private respondTo(
    received: MemoryNetwork.Request,
    request: MockRequest,
    found: Found<Expectation, Context.Context<unknown>> | { readonly miss: MockFailure }
  ): Effect.Effect<MemoryNetwork.Reply, TransportError> {
    const exchange = this.ledger.begin(request, "entry" in found ? found.entry.expectation : undefined)
    if ("miss" in found) return this.failWith(exchange, found.miss)
    const { context, entry } = found
    const responder = entry.responder()
    entry.met++
    return this.run(exchange, received, Effect.provide(evaluate(responder, request), context))
  }

  private run(
    exchange: Exchange,
    received: MemoryNetwork.Request,
    reply: Effect.Effect<unknown, unknown>
  ): Effect.Effect<MemoryNetwork.Reply, TransportError> {
    const { method, url } = exchange.request
    return Effect.matchCauseEffect(reply, {
      onFailure: (cause) => {
        const error = Cause.squash(cause)
        if (Cause.isInterruptedOnly(cause)) {
          exchange.outcome = { _tag: "Cancelled" }
          return Effect.failCause(cause as Cause.Cause<never>)
        }
        if (isTransportError(error) && Cause.isFailure(cause)) {
          exchange.outcome = { _tag: "Failed", error }
          return Effect.fail(error)
        }
        const what = error instanceof Error ? error.message : String(error)
        return this.failWith(
          exchange,
          new MockFailure(`the responder of ${method} ${redactUrl(url)} failed: ${what}`, { cause: error })
        )
      },
      onSuccess: (given) => {
        if (given instanceof Fault) {
          exchange.outcome = { _tag: "Failed", error: given }
          return perform(given, received)
        }
        const objection = this.ledger.objection(exchange, given)
        if (objection !== undefined) return this.failWith(exchange, objection)
        const reply = given as MockHttp.Reply
        exchange.outcome = { _tag: "Replied", reply }
        return toNetwork(reply, received)
      }
    })
  }

  // ---------------------------------------------------------------------------------------------------------------
  // What is wrong with the test
  // ---------------------------------------------------------------------------------------------------------------

  private failWith(exchange: Exchange, failure: MockFailure): Effect.Effect<MemoryNetwork.Reply> {
    return Effect.succeed(this.ledger.fail(exchange, failure))
  }

  /**
   * A response that stands for a failure is a defect of the fiber that gets it. So is a request under a `TestClock` that
   * is not the one of the pool: `adjust` would move nothing, and the test would wait for ever.
   */
  readonly raise = <E, R>(
    response: Effect.Effect<HttpClientResponse, E, R>
  ): Effect.Effect<HttpClientResponse, E, R> =>
    Effect.clockWith((clock) =>
      Effect.suspend(() => {
        const problem = otherClock(clock, this.clock)
        return problem === undefined ? this.deliver(response) : Effect.die(new MockFailure(problem))
      })
    )

  private deliver<E, R>(
    response: Effect.Effect<HttpClientResponse, E, R>
  ): Effect.Effect<HttpClientResponse, E, R> {
    return Effect.flatMap(response, (response) => {
      const failure = this.ledger.failureOf(response.headers)
      return failure === undefined ? Effect.succeed(response) : Effect.die(failure)
    })
  }
}

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
