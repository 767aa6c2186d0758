/** After so many steps without the event loop it has its turn. */
export const every = 2048

let waiting = 0

// Captured when the module loads: whoever fakes timers later fakes time, and this is about order.
const later = globalThis.setTimeout

/** Takes a step after the event loop has had its turn. */
export const afterBreath = (step: () => void): void => {
  waiting++
  later(() => {
    waiting--
    step()
  }, 0)
}

/** Whether anybody goes on by himself after the event loop has had its turn. */
export const isBreathing = (): boolean => waiting > 0
