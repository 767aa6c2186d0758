import type * as MockHttp from "./models.js"

/** See `MockHttp.MockFailure`. */
export class MockFailure extends Error implements MockHttp.MockFailure {
  readonly _tag = "MockFailure"
  override readonly name = "MockFailure"

  /** Effect prints defects as JSON, and JSON leaves out the message of an error. */
  toJSON(): unknown {
    return { _tag: this._tag, message: this.message }
  }
}
