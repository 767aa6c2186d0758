import { setTimeout } from "../realTimers.js"

/** After so many steps without the event loop it has its turn. */
export const every = 2048

let waiting = 0

/** Takes a step after the event loop has had its turn. */
export const afterBreath = (step: () => void): void => {
  waiting++
  setTimeout(() => {
    waiting--
    step()
  }, 0)
}

/** Whether anybody goes on by himself after the event loop has had its turn. */
export const isBreathing = (): boolean => waiting > 0
