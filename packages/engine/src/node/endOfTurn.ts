import { setImmediate } from "./runtime.js"

/** Something that is left for the end of a turn of the event loop, when all that was there to be read has been read. */
export interface EndOfTurn {
  readonly onEndOfTurn: () => void
}

let waiting: Array<EndOfTurn> = []

export const atEndOfTurn = (task: EndOfTurn): void => {
  if (waiting.push(task) === 1) setImmediate(run)
}

const run = (): void => {
  const due = waiting
  waiting = []
  let i = 0
  try {
    while (i < due.length) due[i++].onEndOfTurn()
  } finally {
    // One that throws does not take the others with it.
    while (i < due.length) atEndOfTurn(due[i++])
  }
}
