/**
 * What a function of the caller's has returned where no promise is expected. Nobody awaits one, and its rejection would end
 * the process: the type of a function that returns nothing lets an async one through.
 */
export const unawaited = (returned: unknown, onRejected: (cause: unknown) => void = ignore): void => {
  if (isPromise(returned)) returned.then(undefined, onRejected)
}

/** Runs code of the caller's whose outcome is nobody's. */
export const undisturbed = (run: () => unknown, onFault: (cause: unknown) => void = ignore): void => {
  try {
    unawaited(run(), onFault)
  } catch (cause) {
    onFault(cause)
  }
}

export const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && "then" in value && typeof value.then === "function"

const ignore = () => {}
