import type { Files } from "@sluice/node"
import * as Option from "effect/Option"

const width = 30

/** A line such as `[##########----------] 50 %  12.0 of 24.0 MiB`. */
export const bar = ({ bytes, total }: Pick<Files.Progress, "bytes" | "total">): string =>
  Option.match(total, {
    onNone: () => `${mebibytes(bytes)} MiB`,
    onSome: (total) => {
      const part = total === 0 ? 1 : Math.min(1, bytes / total)
      const done = Math.round(part * width)
      const percent = String(Math.floor(part * 100)).padStart(3)
      return `[${"#".repeat(done)}${"-".repeat(width - done)}] ${percent} %  ${mebibytes(bytes)} of ${
        mebibytes(total)
      } MiB`
    }
  })

const mebibytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1)
