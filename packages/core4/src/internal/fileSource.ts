import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { PrintableError } from "./printable.js"

export class FileChanged extends PrintableError("FileChanged")<{
  readonly path: string
  readonly detail: string
}> {
  override get message(): string {
    return `${this.path} ${this.detail}. Send a copy that nobody writes to`
  }
}

/** What streams a file anew each time. */
export interface FileSource {
  /** Undefined for what is no regular file, as a pipe. */
  readonly size: number | undefined
  readonly isReplayable: boolean
  readonly stream: Stream.Stream<Uint8Array, PlatformError | FileChanged>
}

export const open = (path: string): Effect.Effect<FileSource, PlatformError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (files) =>
    Effect.map(files.stat(path), ({ size, type }) =>
      type === "File"
        ? { size: Number(size), isReplayable: true, stream: unchanged(files, path, Number(size)) }
        : { size: undefined, isReplayable: false, stream: files.stream(path) }))

/**
 * The bytes of a file that is looked at before the first of them and again before the last: what is read of a file that is
 * written to meanwhile may be neither what it was nor what it is. So whoever receives it does not get all of it.
 */
const unchanged = (
  files: FileSystem.FileSystem,
  path: string,
  size: number
): Stream.Stream<Uint8Array, PlatformError | FileChanged> =>
  Stream.unwrap(Effect.map(files.stat(path), (begun) => {
    const changed = (detail: string) => new FileChanged({ path, detail })
    if (Number(begun.size) !== size) {
      return Stream.fail(changed(`had ${size} bytes when its size was announced, and has ${begun.size} now`))
    }
    let read = 0
    const judge = (chunk: Uint8Array) => {
      read += chunk.length
      if (read < size) return Effect.succeed(chunk)
      return Effect.flatMap(
        files.stat(path),
        (now) =>
          read === size && isSame(begun, now) ? Effect.succeed(chunk) : changed("was written to while it was sent")
      )
    }
    const end = Effect.suspend(() => read === size ? Effect.void : changed(`ended after ${read} of ${size} bytes`))
    return Stream.concat(Stream.mapEffect(files.stream(path), judge), Stream.fromEffectDrain(end))
  }))

const isSame = (a: FileSystem.File.Info, b: FileSystem.File.Info): boolean =>
  a.size === b.size && timeOf(a) === timeOf(b) && Option.getOrUndefined(a.ino) === Option.getOrUndefined(b.ino)

const timeOf = ({ mtime }: FileSystem.File.Info): number | undefined =>
  Option.getOrUndefined(Option.map(mtime, (time) => time.getTime()))
