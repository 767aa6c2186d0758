import type { Encoder } from "@sluice/core/ContentCoding"
import { codings } from "@sluice/engine/node"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** What comes of bytes that are there can only fail by a fault of node:zlib. */
const output = (pump: codings.Pump): Stream.Stream<Uint8Array> =>
  Stream.repeatEffectOption(
    Effect.async<Uint8Array, Option.Option<never>>((resume) =>
      Effect.sync(pump.read((next) =>
        resume(
          next === undefined
            ? Exit.fail(Option.none())
            : next instanceof Uint8Array
            ? Exit.succeed(next)
            : Exit.die(next.failure)
        )
      ))
    )
  )

const encoder = ({ encodeSync, engine, name }: codings.Coder): Encoder => ({
  name,
  encodeSync,
  encode: (stream) =>
    Stream.suspend(() => {
      const pump = new codings.Pump(engine())
      const written = (write: () => void) =>
        Stream.suspend(() => {
          write()
          return output(pump)
        })
      return Stream.flatMap(stream, (bytes) => bytes.length === 0 ? Stream.empty : written(() => pump.write(bytes)))
        .pipe(
          Stream.concat(written(() => pump.finish())),
          Stream.ensuring(Effect.sync(() => pump.destroy()))
        )
    })
})

export const encoders: ReadonlyArray<Encoder> = codings.coders.map(encoder)
