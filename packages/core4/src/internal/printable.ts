import { errorToJSON } from "@sluice/engine"
import * as Data from "effect/Data"

export { frames, printable, shownAs, toPlain, withoutFrames } from "@sluice/engine"

/** Effect's, whose JSON form has its message as well. */
export const PrintableError = <Tag extends string>(tag: Tag): ReturnType<typeof Data.TaggedError<Tag>> => {
  const Base = Data.TaggedError(tag)
  return class extends (Base as new(args: object) => Error & { readonly _tag: string }) {
    toJSON(): unknown {
      return errorToJSON(this)
    }
  } as never
}
