import * as Duration from "effect/Duration"
import type { Gate } from "../Gate.js"
import * as gates from "./gate.js"
import { startTimer } from "./timer.js"

/** What a wait is rejected with when the connection or stream that it belongs to has ended. */
export class Gone extends Error {
  override readonly name = "Gone"
}

/**
 * The waits of one exchange, all ended when its connection or stream ends.
 *
 * Delays here are of the server, which stands for the world outside: they are real time, whatever Clock a test has.
 */
export class Lifetime {
  private readonly cancels = new Set<() => void>()
  ended = false

  wait<A = void>(register: (resume: (value: A) => void) => () => void): Promise<A> {
    if (this.ended) return Promise.reject(new Gone())
    return new Promise<A>((resolve, reject) => {
      const done = (value: A) => {
        this.cancels.delete(cancel)
        resolve(value)
      }
      const cancel = () => {
        leave()
        reject(new Gone())
      }
      this.cancels.add(cancel)
      const leave = register(done)
    })
  }

  sleep(duration: Duration.DurationInput): Promise<void> {
    return this.wait((resume) => startTimer(Duration.toMillis(duration), resume))
  }

  pass(gate: Gate): Promise<void> {
    return this.wait((resume) => gates.enter(gate, resume))
  }

  end(): void {
    if (this.ended) return
    this.ended = true
    for (const cancel of [...this.cancels]) cancel()
    this.cancels.clear()
  }
}
