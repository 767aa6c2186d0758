import * as Effect from "effect/Effect"

/** Where the demo writes: a terminal, or a pipe or file that gets plain lines. */
export interface Terminal {
  readonly line: (text?: string) => Effect.Effect<void>
  /** What went wrong, on the error output. */
  readonly error: (text: string) => Effect.Effect<void>
  /** The line at the bottom that says what goes on. On a pipe it is written once, when `starting`. */
  readonly status: (text: string, starting?: boolean) => Effect.Effect<void>
  readonly clearStatus: Effect.Effect<void>
  /** Text in lines no longer than the terminal is wide, each after the indent. */
  readonly paragraph: (text: string, indent: string) => string
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
}

/** Short enough to read. */
const widest = 100

const clear = "\r\u001b[2K"

export const make = (
  { env, stderr, stdout: out }: Pick<NodeJS.Process, "stdout" | "stderr" | "env">
): Terminal => {
  const isTerminal = out.isTTY === true && env.TERM !== "dumb"
  const colored = isTerminal && (env.NO_COLOR ?? "") === ""
  const style = (code: number) => (text: string) => colored ? `\u001b[${code}m${text}\u001b[0m` : text
  const width = () => Math.min(isTerminal ? out.columns || 80 : widest, widest)
  const write = (text: string) => {
    out.write(text)
  }
  let hasStatus = false
  const clearStatus = () => {
    if (hasStatus) write(clear)
    hasStatus = false
  }
  return {
    line: (text = "") =>
      Effect.sync(() => {
        clearStatus()
        write(`${text}\n`)
      }),
    error: (text) =>
      Effect.sync(() => {
        clearStatus()
        stderr.write(`${text}\n`)
      }),
    status: (text, starting = false) =>
      Effect.sync(() => {
        if (isTerminal) {
          // One that wraps could not be cleared.
          write(`${clear}${text.slice(0, (out.columns || 80) - 1)}`)
          hasStatus = true
        } else if (starting) {
          write(`${text}\n`)
        }
      }),
    clearStatus: Effect.sync(clearStatus),
    paragraph: (text, indent) => {
      const lines = [""]
      for (const word of text.split(" ")) {
        const last = lines[lines.length - 1]
        if (last === "") lines[lines.length - 1] = word
        else if (indent.length + last.length + 1 + word.length <= width()) lines[lines.length - 1] = `${last} ${word}`
        else lines.push(word)
      }
      return lines.map((line) => indent + line).join("\n")
    },
    bold: style(1),
    dim: style(2),
    good: style(32),
    bad: style(31)
  }
}
