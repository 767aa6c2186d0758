import { immediately, isLost, recently } from "./runtime.js"

/** Something that is left for the end of a turn of the event loop, when all that was there to be read has been read. */
export interface EndOfTurn {
  readonly onEndOfTurn: () => void
}

let waiting: Array<EndOfTurn> = []
let waitingSince = 0

export const atEndOfTurn = (task: EndOfTurn): void => {
  const count = waiting.push(task)
  if (count > 1 && !isLost(count, waitingSince)) return
  waitingSince = recently()
  immediately(run)
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
