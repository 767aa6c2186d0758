import type { ReceivedContent, RequestHead, ServedRequest } from "@sluice/engine/memory"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Held } from "./Held.js"
import type * as models from "./memoryModels.js"

/** A request as the server has received it so far, for the test. */
export class MemoryRequest extends Held<models.Reply> implements models.Request, ServedRequest {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  state: models.Request["state"] = "Running"

  constructor(
    readonly connection: models.Server,
    { headers, method, target }: RequestHead,
    readonly content: ReceivedContent,
    readonly streamId: number | undefined
  ) {
    super()
    this.method = method
    this.target = target
    this.headers = headers
  }

  get parts(): ReadonlyArray<Uint8Array> {
    return this.content.parts
  }

  get trailers(): Readonly<Record<string, string>> {
    return this.content.trailers
  }

  get body(): Stream.Stream<Uint8Array> {
    return Stream.repeatEffectOption(this.take)
  }

  get text(): Effect.Effect<string> {
    return Stream.mkString(Stream.decodeText(this.body))
  }

  private readonly take = Effect.async<Uint8Array, Option.Option<never>>((resume) =>
    Effect.sync(this.content.read((part) => resume(part === undefined ? Exit.fail(Option.none()) : Exit.succeed(part))))
  )
}
