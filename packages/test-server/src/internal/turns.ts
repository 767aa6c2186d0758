/**
 * Calls back when the event loop has asked twice for what has come over the sockets: the first time may have taken its
 * events before the ones in question came.
 */
export const afterTwoTurns = (go: () => void): void => {
  setImmediate(() => setImmediate(go))
}
