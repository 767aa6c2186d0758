import type { Failing } from "./models.js"

/** See `Failing`. */
export class Fault implements Failing {
  readonly _tag = "Failing"
  constructor(readonly how: Failing["how"]) {}
}
