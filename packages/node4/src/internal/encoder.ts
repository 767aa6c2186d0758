import type { Encoder } from "@sluice/core4/ContentCoding"
import { codings } from "@sluice/engine/node"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { pulled } from "./pulled.js"

/** What comes of bytes that are there can only fail by a fault of node:zlib. */
const output = (pump: codings.Pump): Stream.Stream<Uint8Array> =>
  pulled(Effect.callback<Uint8Array, Cause.Done>((resume) =>
    Effect.sync(pump.read((next) =>
      resume(
        next === undefined
          ? Cause.done()
          : next instanceof Uint8Array
          ? Effect.succeed(next)
          : Effect.die(next.failure)
      )
    ))
  ))

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
