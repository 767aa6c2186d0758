/** The longest delay that Node's timers take; a longer one would fire at once. */
const longest = 2 ** 31 - 1

/** Calls back after so many milliseconds, however many; `Infinity` is never. The result calls it off. */
export const startTimer = (milliseconds: number, go: () => void): () => void => {
  let timer: NodeJS.Timeout | undefined
  const start = (left: number) => {
    timer = left > longest ? setTimeout(() => start(left - longest), longest) : setTimeout(go, left)
  }
  start(milliseconds)
  return () => clearTimeout(timer)
}
