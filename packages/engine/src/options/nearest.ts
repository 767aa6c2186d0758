/**
 * How many letters have to be changed, added, left out or exchanged with their neighbour to make one name the other
 * (optimal string alignment).
 */
export const distance = (from: string, to: string): number => {
  let beforeLast: ReadonlyArray<number> = []
  let last: ReadonlyArray<number> = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    for (let j = 1; j <= to.length; j++) {
      const changed = from[i - 1] === to[j - 1] ? 0 : 1
      let least = Math.min(row[j - 1] + 1, last[j] + 1, last[j - 1] + changed)
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      if (isSwap) least = Math.min(least, beforeLast[j - 2] + 1)
      row.push(least)
    }
    beforeLast = last
    last = row
  }
  return last[to.length]
}

export interface Candidate {
  readonly path: string
  /** What somebody who means it may have written. */
  readonly spellings: ReadonlyArray<string>
}

/** A name much longer than any option is not compared: the work grows with its length. */
const longest = 64

/**
 * The path that was meant, the first of equals; undefined when the name is like none of them, or further away than `most`.
 */
export const nearest = (
  name: string,
  candidates: ReadonlyArray<Candidate>,
  most = Infinity
): string | undefined => {
  if (name.length > longest) return undefined
  const written = plain(name)
  // Two letters, or a third of a long name: more than that is another word.
  let least = Math.min(most, Math.max(2, Math.floor(written.length / 3))) + 1
  let best: string | undefined = undefined
  for (const { path, spellings } of candidates) {
    for (const spelling of spellings) {
      const away = distance(written, plain(spelling))
      // A short name is not turned into another one by changing most of it.
      if (away < least && away < spelling.length / 2) {
        least = away
        best = path
      }
    }
  }
  return best
}

/** Case, and how words are put together, make no other name. */
const plain = (name: string): string => name.toLowerCase().replace(/[-_.]/g, "")
