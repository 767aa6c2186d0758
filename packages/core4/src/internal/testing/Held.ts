import * as Deferred from "effect/Deferred"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { TransportError } from "../../TransportError.js"

/** See `MemoryNetwork.Held`. */
export abstract class Held<A> {
  private readonly decided = Deferred.makeUnsafe<A, TransportError>()
  readonly outcome: Effect.Effect<A, TransportError> = Deferred.await(this.decided)
  readonly succeed = (value: A): void => {
    Deferred.doneUnsafe(this.decided, Exit.succeed(value))
  }
  readonly fail = (error: TransportError): void => {
    Deferred.doneUnsafe(this.decided, Exit.fail(error))
  }
}
