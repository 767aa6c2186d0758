/** Captured when the module loads: whoever fakes timers later fakes time, and this is about order. */
export const setTimeout: (run: () => void, millis: number) => unknown = globalThis.setTimeout
