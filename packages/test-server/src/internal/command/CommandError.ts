import * as Data from "effect/Data"

/** What went wrong, in one line, and the code that the command ends with: 2 for wrong use, 1 for the rest. */
export class CommandError extends Data.TaggedError("CommandError")<{
  readonly reason: string
  readonly exitCode: 1 | 2
}> {
  constructor(reason: string, exitCode: 1 | 2) {
    super({ reason, exitCode })
  }

  override get message(): string {
    return this.reason
  }
}
