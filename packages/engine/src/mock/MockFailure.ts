import type * as models from "./models.js"

/** See `models.MockFailure`. */
export class MockFailure extends Error implements models.MockFailure {
  readonly _tag = "MockFailure"
  override readonly name = "MockFailure"

  /** Effect prints defects as JSON, and JSON leaves out the message of an error. */
  toJSON(): unknown {
    return { _tag: this._tag, message: this.message }
  }
}
